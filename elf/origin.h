/*
 * origin.h - $ORIGIN (ld.so(8), "Dynamic string tokens") in what a file says of the libraries that it needs, for a
 * copy that lies in another directory than the file.
 *
 * elf/ as image.h says.
 */
#ifndef HOTPATCH_ORIGIN_H
#define HOTPATCH_ORIGIN_H

#include "elf/image.h"

/* Return whether DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_FILTER or DT_AUXILIARY has it. */
bool image_names_origin(const struct image *image);

/*
 * Make a copy of the file in which `origin`, an absolute directory, stands for $ORIGIN. The copy has one PT_LOAD more
 * than the file, for its program headers and its strings; all else lies where it lay. *out is the caller's
 * to free. 0, or -1 with `error`.
 */
int image_expand_origin(const struct image *image, const char *origin, void **out, size_t *size,
                        struct elf_error *error);

/* Return `text` with `origin` for each $ORIGIN and ${ORIGIN}, malloc'd; NULL: no memory. */
char *origin_expand(const char *text, const char *origin);

#endif
