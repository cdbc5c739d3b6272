/*
 * functions_places.h - where an object has executable memory, PLTs and .text. For the files of elf/ alone.
 */
#ifndef HOTPATCH_FUNCTIONS_PLACES_H
#define HOTPATCH_FUNCTIONS_PLACES_H

#include "elf/elf_error.h"
#include "elf/functions_parts.h"

/* Read them from `functions->image`, else from `file`, which may have no section headers. 0, or -1: no
 * memory. */
int functions_read_places(struct functions *functions, const struct symbol_file *file,
                          struct elf_error *error);
/* Return whether a function may be at `address`: in executable memory, not in a PLT. */
bool functions_may_be_at(const struct functions *functions, uint64_t address);

#endif
