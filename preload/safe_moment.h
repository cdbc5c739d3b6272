/*
 * safe_moment.h - check whether threads may be made on the thread that the doorbell interrupted.
 *
 * pthread_create(3) takes locks of the allocator, of ld.so (dl_load_tls_lock), of the stack cache and of stdio's
 * list. The interrupted thread must hold none of them. This is read from its stack.
 *
 * Runs in the doorbell's signal handler: allocates nothing, takes no lock, never faults.
 */
#ifndef HOTPATCH_SAFE_MOMENT_H
#define HOTPATCH_SAFE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Return whether the interrupted thread holds none of the locks. `context`: the handler's ucontext_t. Return false
 * also where the stack cannot be read to its end. `until`, where false is returned: the result cannot become true
 * before the stack pointer has risen to this value, unless the thread reaches a system call; 0: it can become true at
 * any time.
 */
bool safe_moment(const void *context, uint64_t *until);

#endif
