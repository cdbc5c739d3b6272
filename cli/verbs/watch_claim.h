/*
 * watch_claim.h - whether another hotpatch watch has the same process: each would take out what the other made live.
 *
 * A watch listens on a socket of the process's name in the abstract namespace (unix(7)), which ends with the watch. A later
 * watch of the process finds the name in use, connects, and so the two know each other. A watch in another network namespace
 * is not seen.
 */
#ifndef HOTPATCH_WATCH_CLAIM_H
#define HOTPATCH_WATCH_CLAIM_H

#include <stdint.h>
#include <sys/types.h>

/* Claim the process. Return the socket to listen on, or -1: another watch has the process, and its number is in `*other`; or
 * there is no socket, and `*other` is 0. */
int watch_claim(pid_t pid, uint64_t start_time, pid_t *other);
/* Return the number of a watch that has connected; 0: none has. */
pid_t watch_claim_other(int claim);

#endif
