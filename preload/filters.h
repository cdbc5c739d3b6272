/*
 * filters.h - the seccomp filters that the host sets. A call that a filter refuses may end the process, so the call
 * must not be made on a thread that is under the filter.
 *
 * prctl(2) and syscall(2), which libseccomp uses too, are interposed. The filter's program is run here on each call
 * that the shim and the engine need (base/needed_calls.h). A filter that the host sets by its own system call
 * instruction is not seen.
 */
#ifndef HOTPATCH_FILTERS_H
#define HOTPATCH_FILTERS_H

#include <stdbool.h>

struct sock_fprog; /* linux/filter.h */

/* Constructor: record whether the program was started under a filter. */
void filters_start(void);
/* Return whether the program was started under a filter. A call that such a filter refuses is logged as information
 * and not as an error. */
bool filters_at_start(void);
/* Return whether the host has set a filter, or is setting one. This function and the next ones run on any thread,
 * also in signal handlers, and read memory alone. */
bool filters_set(void);
/* Return whether a filter that the host has set refuses a call that the shim's threads need. */
bool filters_refuse(void);
/* Return whether a filter ends the process for a call that the shim's threads make. */
bool filters_kill(void);
/* Return whether getsockopt, getppid or kcmp may be made: no filter that the host has set ends the process for it. */
bool filters_let(long number);
/* Return whether a filter ends the process for a call that the socket of a process in a jail needs (jail.c). */
bool filters_kill_sockets(void);
/* Return whether the calls may be made on a thread that has `count` filters, as counted by the command. */
bool filters_allow(int count);
/* Call before and after a call that sets a filter, on a host thread (interpose/set_filter.c). `program`: NULL for the
 * strict mode. */
void filters_set_begin(void);
void filters_set_end(bool is_set, const struct sock_fprog *program);
/* Return whether the filter would end a thread of the shim for a call that it makes. */
bool filters_would_kill(const struct sock_fprog *program);

#endif
