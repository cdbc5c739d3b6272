/*
 * near_alloc.h - memory for code and for words near a function, in pages of the engine's own.
 *
 * Pages of code are readable and executable, never writable for longer than a store; words lie in
 * pages of their own. Nothing is given back once a thread may have seen it. No page is laid where
 * the heap or the main thread's stack would grow to.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. Allocates.
 */
#ifndef HOTPATCH_NEAR_ALLOC_H
#define HOTPATCH_NEAR_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "loader/text/gaps.h"

/* Return the address; 0: there is no place, with *error 0, or -errno. */
uintptr_t near_alloc_take(const struct near_wish *wish, int *error);
/*
 * The first of them that can be met; but any that leaves the heap and the stack 1 GiB to grow is
 * better than an earlier one that leaves them 512 MiB, and that than 64 MiB. Returns which, or `count`:
 * none.
 */
size_t near_alloc_take_any(const struct near_wish *wishes, size_t count, uintptr_t *at, int *error);
/* Give memory back that no thread has seen. */
void near_alloc_give_back(uintptr_t at, size_t size);

/* Until near_alloc_end() /proc/self/maps is read once, and the process's memory opened once. Nothing else
 * of the listener may map memory in between that is to be found free again. */
void near_alloc_begin(void);
void near_alloc_end(void);
void near_alloc_after_fork(void);

/* Into pages of code. 0, or -errno. */
int near_alloc_write(uintptr_t at, const uint8_t *bytes, size_t size);

#endif
