/*
 * main_exit.h - the end of the host's main thread by exit(2), or by a signal that ends it alone.
 *
 * Without threads of ours the process would end with it. The kernel then clears the word that
 * set_tid_address(2) named and wakes its futex: the worker waits for that beside its own.
 */
#ifndef HOTPATCH_MAIN_EXIT_H
#define HOTPATCH_MAIN_EXIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Host thread that makes ours. Only the main thread can be watched, and only by itself. */
void main_exit_watch(void);
/* Worker: sleeps until `word` differs from `expected`, or is woken, or the main thread ends. Returns true
 * once, when it has ended. */
bool main_exit_wait(const _Atomic uint32_t *word, uint32_t expected);
/* Listener, once it has ended: its wait status, wait(2). `proc`: /proc. 0 where that cannot be read. */
int main_exit_status(int proc);

#endif
