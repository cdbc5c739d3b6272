/*
 * self.h - the identity of this process, which no other process has: its pid namespace, and a random number that the
 * listener makes and the status file has.
 *
 * Runs on the listener; self_pid_ns() in the constructor too.
 */
#ifndef HOTPATCH_SELF_H
#define HOTPATCH_SELF_H

#include <stdbool.h>
#include <stdint.h>

/* Return the inode number of this process's pid namespace (pid_namespaces(7)); 0: /proc does not show it. */
uint64_t self_pid_ns(void);

/* Make the nonce, unless this process has a nonce of an earlier listener. At the listener's start, before
 * made_here_note(). */
void self_start(void);
/* Return the nonce, 32 hex digits. After self_start(). */
const char *self_nonce(void);
/* Return whether `nonce` is that of this process; NULL and "" mean any process. */
bool self_is(const char *nonce);

#endif
