/*
 * safe_calls.h - functions of libc that hold none of the locks that pthread_create(3) takes. They were reviewed in
 * the source of glibc 2.36; the lists cite the files.
 *
 * pthread_create takes the allocator's lock, by calloc (elf/dl-tls.c, allocate_dtv, _dl_allocate_tls_storage);
 * dl_load_tls_lock (elf/dl-tls.c, _dl_determine_tlsoffset, callers of init_one_static_tls); and dl_stack_cache_lock
 * (nptl/allocatestack.c). It walks stdio's list of streams (libio/genops.c, _IO_enable_locks).
 *
 * A function is given by its first address. Also called in signal handlers: no lock, no allocation.
 */
#ifndef HOTPATCH_SAFE_CALLS_H
#define HOTPATCH_SAFE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* Return whether the function makes one system call, without holding a lock. */
bool safe_call_waits(uint64_t function);
/* Return whether the function holds none of these locks while it waits in a function of safe_call_waits(). */
bool safe_call_waits_inside(uint64_t function);
/* Return whether the function sleeps by futex(2) and never holds one of these locks. */
bool safe_call_sleeps(uint64_t function);
/* Return whether the function computes. Where it allocates memory, a function of the allocator is on the stack. */
bool safe_call_computes(uint64_t function);
/* Return whether the function copies or compares bytes and calls no other function. */
bool safe_call_is_leaf(uint64_t function);
/* Return whether the function holds none of these locks while it calls back. */
bool safe_call_calls_back(uint64_t function);

#endif
