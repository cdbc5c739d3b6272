/*
 * near_alloc.h - memory for code and for words near a function, in pages that the engine maps.
 *
 * Pages of code are readable and executable, and writable only during a store. Words lie in other pages. Memory that a
 * thread may have seen is never given back. No page is mapped where the heap or the main thread's stack would grow.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. Allocates.
 */
#ifndef HOTPATCH_NEAR_ALLOC_H
#define HOTPATCH_NEAR_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "loader/text/gaps.h"

/* Take memory that meets the wish. Return its address; 0 if there is no place, with `*error` 0 or -errno. */
uintptr_t near_alloc_take(const struct near_wish *wish, int *error);
/*
 * Take memory that meets the first wish that can be met. A wish that leaves the heap and the stack 1 GiB to grow is
 * preferred to an earlier wish that leaves them 512 MiB, and such a wish to an earlier one that leaves 64 MiB. Return
 * the wish's index, or `count` if no wish can be met.
 */
size_t near_alloc_take_any(const struct near_wish *wishes, size_t count, uintptr_t *at, int *error);
/* Give memory back that no thread has seen. */
void near_alloc_give_back(uintptr_t at, size_t size);

/* Read /proc/self/maps only once, and open the process's memory only once, until near_alloc_end(). Between the two
 * calls the listener maps no other memory whose place must be found free again. */
void near_alloc_begin(void);
void near_alloc_end(void);
void near_alloc_after_fork(void);

/* Write bytes into pages of code. Return 0, or -errno. */
int near_alloc_write(uintptr_t at, const uint8_t *bytes, size_t size);

#endif
