/*
 * libc_symbols.h - the addresses of libc's exported functions, for signal handlers. They are looked up in libc's own
 * hash table, without ld.so and its locks. libc, ld.so and the object that defines malloc are never unmapped.
 */
#ifndef HOTPATCH_LIBC_SYMBOLS_H
#define HOTPATCH_LIBC_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

/* Find the objects, once. Return false if libc has no GNU hash table. Also called in signal handlers. */
bool libc_symbols_find(void);

/* Return the address of the exported function; 0: there is none. After libc_symbols_find(). */
uint64_t libc_symbol(const char *name);

/* Return whether libc is the object that is mapped at `begin`. */
bool libc_is_at(uint64_t begin);
bool libc_loader_is_at(uint64_t begin);
/* Return whether the object at `begin` defines malloc in place of libc and has no other code: an allocator library. */
bool libc_allocator_is_at(uint64_t begin);
/* Return whether the object at `begin` defines malloc and has other code too: the program itself, or a library that
 * also replaces read(2), as those of sanitizers do. */
bool libc_allocator_is_part_of(uint64_t begin);
/* Return the address of an exported function of the object that defines malloc; 0: there is none. */
uint64_t libc_allocator_symbol(const char *name);

#endif
