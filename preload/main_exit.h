/*
 * main_exit.h - the end of the host's main thread by exit(2), or by a signal that ends this thread alone.
 *
 * Without the listener and the worker the process would end with its main thread. The kernel then clears the word set
 * by set_tid_address(2) and wakes its futex. The worker waits for that futex and its own at the same time.
 */
#ifndef HOTPATCH_MAIN_EXIT_H
#define HOTPATCH_MAIN_EXIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Watch the calling thread, if it is the main thread. Host thread that makes the worker. No other thread can do this
 * for the main thread. */
void main_exit_watch(void);
/* Sleep, on the worker, until `word` differs from `expected`, or is woken, or the main thread ends. Return true once,
 * when the main thread has ended. */
bool main_exit_wait(const _Atomic uint32_t *word, uint32_t expected);
/* Listener: return whether main_exit_wait() has returned true. */
bool main_exit_seen(void);
void main_exit_reset(void); /* in a forked child */
/* Return the wait status of the main thread, wait(2), after it has ended; 0: it cannot be read. Listener. `proc`:
 * /proc. */
int main_exit_status(int proc);

#endif
