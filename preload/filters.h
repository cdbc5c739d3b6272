/*
 * filters.h - the seccomp filters that the host sets: a call that one of them refuses may end the process, and
 * so must not be made on a thread that is under it.
 *
 * prctl(2) and syscall(2), which libseccomp uses too, are interposed; the program that they hand to the
 * kernel is run here on each call that the shim and the engine need (base/needed_calls.h). A filter that is set by
 * a system call instruction of the host's own is not seen.
 */
#ifndef HOTPATCH_FILTERS_H
#define HOTPATCH_FILTERS_H

#include <stdbool.h>

struct sock_fprog; /* linux/filter.h */

/* Constructor: note whether the program was started under a filter. */
void filters_start(void);
/* Was it? What such a filter refuses is no failure that anybody has asked to hear of. */
bool filters_at_start(void);
/* Any thread, signal handlers too; memory alone. Has the host set a filter, or is it setting one? */
bool filters_set(void);
/* Likewise. Does a filter that the host has set refuse a call that our threads need? */
bool filters_refuse(void);
/* Likewise. Does one end the process for a call that our threads make? */
bool filters_kill(void);
/* Likewise. May one of getsockopt, getppid, kcmp be made: no filter that the host has set ends the process for it? */
bool filters_let(long number);
/* Likewise. Does one end the process for a call that the socket of a process in a jail takes (jail.c)? */
bool filters_kill_sockets(void);
/* Likewise, on a thread that the command has seen under `count` filters: may the calls be made? */
bool filters_allow(int count);
/* Host thread: around a call that sets a filter (interpose/set_filter.c). `program`: NULL for the strict mode. */
void filters_set_begin(void);
void filters_set_end(bool is_set, const struct sock_fprog *program);
/* Return whether the filter would end a thread of the shim for a call that it makes. */
bool filters_would_kill(const struct sock_fprog *program);

#endif
