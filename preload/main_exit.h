/*
 * main_exit.h - the end of the host's main thread by exit(2), or by a signal that ends it alone.
 *
 * Without the listener and the worker the process would end with it. The kernel then clears the word that
 * set_tid_address(2) named and wakes its futex: the worker waits for that futex beside its own.
 */
#ifndef HOTPATCH_MAIN_EXIT_H
#define HOTPATCH_MAIN_EXIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Host thread that makes the worker: watch the calling thread, if it is the main one. No other thread can do this for
 * it. */
void main_exit_watch(void);
/* Worker: sleep until `word` differs from `expected`, or is woken, or the main thread ends. Return true
 * once, when it has ended. */
bool main_exit_wait(const _Atomic uint32_t *word, uint32_t expected);
/* Listener: return whether main_exit_wait() has returned true. */
bool main_exit_seen(void);
void main_exit_reset(void); /* in a forked child */
/* Listener, after it has ended: return its wait status, wait(2). `proc`: /proc. 0 where that cannot be read. */
int main_exit_status(int proc);

#endif
