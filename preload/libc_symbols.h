/*
 * libc_symbols.h - where libc's exported functions are, for signal handlers: looked up in libc's own
 * hash table, without ld.so and its locks. libc, ld.so and what defines malloc are never unmapped.
 */
#ifndef HOTPATCH_LIBC_SYMBOLS_H
#define HOTPATCH_LIBC_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

/* Find the objects, once. False: libc has no GNU hash table. Signal handlers too. */
bool libc_symbols_find(void);

/* After libc_symbols_find(): where the exported function begins; 0: there is none. */
uint64_t libc_symbol(const char *name);

/* Is it the object that is mapped from `begin` on? */
bool libc_is_at(uint64_t begin);
bool libc_loader_is_at(uint64_t begin);
/* That defines malloc in place of libc. It is an allocator and nothing else: a library. */
bool libc_allocator_is_at(uint64_t begin);
/* It has other code too: the program itself, or a library that stands in for read(2) as well, as those of
 * sanitizers do. */
bool libc_allocator_is_part_of(uint64_t begin);
/* Where the exported function of the object that defines malloc begins; 0: there is none. */
uint64_t libc_allocator_symbol(const char *name);

#endif
