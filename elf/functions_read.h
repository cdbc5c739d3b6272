/*
 * functions_read.h - gather the functions of an object, for functions.h to search.
 */
#ifndef HOTPATCH_FUNCTIONS_READ_H
#define HOTPATCH_FUNCTIONS_READ_H

#include "elf/elf_error.h"

struct functions;
struct image;

/*
 * Of an object mapped in this process (`mapped`, which must outlive the result; address space
 * that is mapped is read in place) and of its file, open at `file`, or -1. The file is read only
 * where its build-id, or without one its program headers, are those that are mapped; `file` is not kept. It
 * is read by pread(2) alone, never mapped: a file that is truncated meanwhile must not kill the host.
 * A file that is another or damaged is left out.
 * Memory: proportional to .symtab, bounded by what the note at the top of functions.c says.
 * 0, or -1 with `error`.
 */
int functions_of_mapped(struct functions **out, const struct image *mapped, int file,
                        struct elf_error *error);
/* Gather those of a file alone, or of a separate debug file (whose PT_LOADs have no bytes). */
int functions_of_file(struct functions **out, int file, struct elf_error *error);
void functions_close(struct functions *functions); /* NULL is allowed */

#endif
