/*
 * binary_symbols.h - .symtab of a binary: the look-ups are declared in binary.h. Reading is for binary_read.c alone.
 */
#ifndef HOTPATCH_BINARY_SYMBOLS_H
#define HOTPATCH_BINARY_SYMBOLS_H

#include "elf/elf_error.h"

struct binary;
struct symbol_file;

/* Read .symtab of the file, which is the binary's own or the debug file's; a file without one is no error. 0, or -1
 * with `error`. */
int binary_read_symbols(struct binary *binary, const struct symbol_file *file,
                        struct elf_error *error);
void binary_free_symbols(struct binary *binary);

#endif
