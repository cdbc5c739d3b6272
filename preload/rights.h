/*
 * rights.h - keeps our two threads from having rights that the host has given up.
 *
 * Capabilities, no_new_privs, seccomp filters and, with raw system calls, user and group ids
 * belong to single threads (capabilities(7), seccomp(2), credentials(7)). Before each request the
 * listener looks at the host's main thread and follows it, or refuses. Landlock domains cannot be
 * seen from outside a thread.
 */
#ifndef HOTPATCH_RIGHTS_H
#define HOTPATCH_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/refusal.h"

#define RIGHTS_GROUPS_MAX 2048 /* bytes of the Groups: line */

struct rights {
    uint64_t effective, permitted, inheritable, bounding, ambient;
    uint64_t uid[3], gid[3]; /* real, effective, saved */
    uint64_t no_new_privs, seccomp, filters;
    pid_t tid;  /* of the thread, in its own pid namespace; 0 before Linux 4.1 */
    char state; /* 'Z': the thread has ended */
    char groups[RIGHTS_GROUPS_MAX];
};

/* Of the text of /proc/PID/task/TID/status; false where it is cut off or has too many groups. */
bool rights_parse(const char *text, struct rights *rights);
/* Whether a thread with `own` can do nothing that one with `host` cannot. */
bool rights_within(const struct rights *own, const struct rights *host);

void rights_start(int proc); /* listener: /proc, open since before any chroot */
/* Listener. 0, or -1 with HP-SANDBOX or HP-BUSY. */
int rights_follow(struct refusal *why);
/* The calling thread has effective capabilities although its uid is not 0. */
bool rights_beyond_user(uid_t uid);
/* Listener: does the main thread, if it has not ended, leave `signal` unblocked? */
bool rights_main_takes(int signal);
/* Listener: any thread that is not ours and has not ended; 0: none, -1: cannot be told. */
pid_t rights_live_thread(void);

#endif
