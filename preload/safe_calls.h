/*
 * safe_calls.h - functions of libc that hold none of the locks that pthread_create(3) takes: reviewed in the
 * source of glibc 2.36, which the lists cite.
 *
 * pthread_create takes: the allocator's, by calloc (elf/dl-tls.c, allocate_dtv, _dl_allocate_tls_storage);
 * dl_load_tls_lock (elf/dl-tls.c, _dl_determine_tlsoffset, init_one_static_tls's callers);
 * dl_stack_cache_lock (nptl/allocatestack.c); it walks stdio's list of streams (libio/genops.c,
 * _IO_enable_locks).
 *
 * A function is given by its address, where it begins. Signal handlers too: no lock, no allocation.
 */
#ifndef HOTPATCH_SAFE_CALLS_H
#define HOTPATCH_SAFE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* One system call, which is made with no lock. */
bool safe_call_waits(uint64_t function);
/* Holds no lock of these while it waits in one of those above. */
bool safe_call_waits_inside(uint64_t function);
/* Sleeps by futex(2), and holds no lock of these at any time. */
bool safe_call_sleeps(uint64_t function);
/* Computes; where it allocates memory, a function of the allocator is on the stack. */
bool safe_call_computes(uint64_t function);
/* Copies or compares bytes, and calls nothing. */
bool safe_call_is_leaf(uint64_t function);
/* Holds no lock of these while it calls back. */
bool safe_call_calls_back(uint64_t function);

#endif
