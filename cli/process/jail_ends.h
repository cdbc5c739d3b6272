/*
 * jail_ends.h - the way to a listener in a root directory without a runtime directory: the two pipes in its
 * private descriptor table (preload/jail.h).
 *
 * The process is not trusted. A thread of any name may hold any descriptor: what is opened is a pipe, by
 * the kernel's word on it, in a table that is not the program's own, without waiting, and no size that
 * the process names is believed.
 */
#ifndef HOTPATCH_JAIL_ENDS_H
#define HOTPATCH_JAIL_ENDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/process/proc_facts.h"

struct jail_ends {
    int requests; /* for writing, non-blocking */
    int replies;  /* for reading, non-blocking */
    pid_t thread; /* the listener */
};

/* Find and open the pipes. Return 0, or -errno: -ENOENT: no listener has such pipes; -EACCES: this user may not
 * look. */
int jail_find(const struct process *process, struct jail_ends *ends);
/* Lock the pipes against other commands while they are open. False: another command has locked them. */
bool jail_lock(const struct jail_ends *ends);
/* Read and drop what a command that has ended left unread. */
void jail_drain(const struct jail_ends *ends);

#endif
