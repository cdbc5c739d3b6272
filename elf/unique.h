/* unique.h - symbols of which a process is to have one (STB_GNU_UNIQUE), in a file. */
#ifndef HOTPATCH_UNIQUE_H
#define HOTPATCH_UNIQUE_H

#include "elf/image.h"

/*
 * Call `each` for every symbol of .dynsym that the file defines with binding STB_GNU_UNIQUE; `info` is
 * the offset of its st_info in the file. A non-zero return stops and is returned. -1 with `error` where
 * the table is damaged; 0 at the end.
 */
int image_unique_symbols(const struct image *image,
                         int (*each)(const char *name, size_t info, void *context), void *context,
                         struct elf_error *error);

#endif
