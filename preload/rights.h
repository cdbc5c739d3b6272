/*
 * rights.h - prevents the listener and the worker from having rights that the host has dropped.
 *
 * Capabilities, no_new_privs, seccomp filters and, with raw system calls, user and group ids belong to single threads
 * (capabilities(7), seccomp(2), credentials(7)). Before each request the listener reads the rights of the host's main
 * thread and drops the same rights, or refuses the request. Landlock domains cannot be read from outside a thread.
 */
#ifndef HOTPATCH_RIGHTS_H
#define HOTPATCH_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"

/* Start, on the listener. `proc`: a descriptor of /proc, opened before any chroot(2). */
void rights_start(int proc);
/* Listener: drop the rights that the host's main thread has dropped. Return 0, or -1 with HP-SANDBOX or HP-BUSY. */
int rights_follow(struct refusal *why);
/* Return whether the calling thread has effective capabilities although its uid is not 0. */
bool rights_beyond_user(uid_t uid);
/* Listener: return whether the main thread has not ended and does not block `signal`. */
bool rights_main_takes(int signal);
/* Listener: return the tid of a thread of the host that has not ended; 0: no such thread, -1: not known. */
pid_t rights_live_thread(void);

#endif
