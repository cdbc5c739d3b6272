/*
 * binary_read.h - opens the file that a process was started from: see binary.h.
 */
#ifndef HOTPATCH_BINARY_READ_H
#define HOTPATCH_BINARY_READ_H

#include "elf/binary.h"
#include "elf/elf_error.h"

/*
 * Open the file; `debug`: a file that gives the symbols, or -1. Both stay the caller's and may be closed afterwards.
 * The debug file must have the same build-id, or be a twin: its allocated sections have the same names, addresses and
 * sizes (a rebuild that was not stripped); else ELF_OTHER_BINARY. A file without .symtab opens: binary_has_symbols()
 * is false. 0, or -1 with `error`.
 */
int binary_open(struct binary **out, int file, int debug, struct elf_error *error);
void binary_close(struct binary *binary); /* NULL is allowed */

#endif
