/*
 * self.h - which process this is, in terms that no other process shares: its pid namespace, and a number
 * at random that the listener makes and the status file holds.
 *
 * Listener; self_pid_ns() in the constructor too.
 */
#ifndef HOTPATCH_SELF_H
#define HOTPATCH_SELF_H

#include <stdbool.h>
#include <stdint.h>

/* Return the inode number of this process's pid namespace (pid_namespaces(7)); 0: /proc does not show it. */
uint64_t self_pid_ns(void);

/* The listener's start, before it notes that this process made the FIFO (made_here.h): make the nonce, unless
 * this process has one from a listener before. */
void self_start(void);
/* 32 hex digits, from self_start() on. */
const char *self_nonce(void);
/* Return whether `nonce` is that of this process; NULL and "" mean any process. */
bool self_is(const char *nonce);

#endif
