/*
 * safe_moment.h - may threads be made on the thread that the doorbell interrupted?
 *
 * pthread_create(3) takes locks of the allocator, of ld.so (dl_load_tls_lock), of the stack cache and of
 * stdio's list: the interrupted thread must hold none. This is read from its stack.
 *
 * Signal handler of the doorbell: allocates nothing, takes no lock, never faults.
 */
#ifndef HOTPATCH_SAFE_MOMENT_H
#define HOTPATCH_SAFE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * `context`: the handler's ucontext_t. False also where the stack cannot be read to its end. `until`: where the
 * answer is no, it cannot become yes before the stack pointer has come up to there, unless the thread has
 * reached a system call; 0: it may at any time.
 */
bool safe_moment(const void *context, uint64_t *until);

#endif
