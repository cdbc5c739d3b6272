/*
 * binary.h - the file that a process was started from, as a linker has written it: what `hotpatch build` compares
 * objects with. Bytes by virtual address, .symtab, dynamic relocations, PLT, GOT and thread-locals.
 *
 * All addresses are virtual addresses before load bias. Compiled into the command alone. One thread at a time.
 */
#ifndef HOTPATCH_BINARY_H
#define HOTPATCH_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/binary_entry.h"

struct binary;

const char *binary_build_id(const struct binary *binary); /* hex digits, "" where there is none */
bool binary_is_twin(const struct binary *binary);         /* the symbols come from a twin */
bool binary_is_program(const struct binary *binary);      /* ET_EXEC, or ET_DYN that is a PIE */
bool binary_has_symbols(const struct binary *binary);     /* there is a .symtab with functions */
bool binary_has_files(const struct binary *binary);       /* .symtab has STT_FILE entries */
size_t binary_file_count(const struct binary *binary,
                         const char *name); /* STT_FILE entries of a name */

/* ---- bytes ---- */

/* Return the bytes at an address up to the end of its PT_LOAD in the file; NULL: none. `size`: how many. */
const uint8_t *binary_bytes(const struct binary *binary, uint64_t address, size_t *size);
/* Return whether the address lies in executable, in writable memory of the object. What ld.so makes read-only after
 * relocation (PT_GNU_RELRO) counts as not writable. */
bool binary_is_code(const struct binary *binary, uint64_t address);
bool binary_is_writable(const struct binary *binary, uint64_t address);
/* Return whether [address, address + size) lies in the object's memory, .bss included. */
bool binary_has(const struct binary *binary, uint64_t address, uint64_t size);

/* Read the word of 8 bytes at an address as it is after relocation. */
struct binary_word binary_word(const struct binary *binary, uint64_t address);
/* Return whether ld.so writes the address of this place of the object into any word. */
bool binary_word_holds(const struct binary *binary, uint64_t address);
/* Return the name and the version with which the program imports or exports a symbol; false: .dynsym has none. */
bool binary_import(const struct binary *binary, const char *name, const char **version);

/* ---- symbols ---- */

/* Return how many STT_FILE entries there are: the largest number of a group. */
size_t binary_group_count(const struct binary *binary);
size_t binary_symbol_count(const struct binary *binary);
const struct binary_symbol *binary_symbol(const struct binary *binary,
                                          size_t i); /* in the order of .symtab */

/* Call `each` for the defined symbols of a name, or of an address (not thread-locals), in the order of .symtab; a
 * non-zero return stops and is returned. */
typedef int binary_symbol_visit(const struct binary_symbol *symbol, void *context);
int binary_named(const struct binary *binary, const char *name, binary_symbol_visit *each,
                 void *context);
int binary_at(const struct binary *binary, uint64_t address, binary_symbol_visit *each,
              void *context);
/* Return the symbol with a size whose bytes contain the address; NULL: none. */
const struct binary_symbol *binary_around(const struct binary *binary, uint64_t address);
/* Return whether the symbols of a name are one place: then its only address. */
bool binary_unique(const struct binary *binary, const char *name, uint64_t *address);

/* ---- PLT and thread-locals ---- */

/* Return whether a PLT stub lies at the address; `word`: the word that it jumps through. */
bool binary_is_stub(const struct binary *binary, uint64_t address, uint64_t *word);
/* Find the offset from the thread pointer of the beginning of PT_TLS: of a program alone. False: none. */
bool binary_tls_offset(const struct binary *binary, int64_t *offset);
/* Return the size of PT_TLS in memory; 0: none. */
uint64_t binary_tls_size(const struct binary *binary);

#endif
