/*
 * dynamic.h - PT_DYNAMIC: read and check what its tags lead to. For the files of elf/ alone.
 */
#ifndef HOTPATCH_DYNAMIC_H
#define HOTPATCH_DYNAMIC_H

#include "elf/elf_error.h"
#include "elf/image_parts.h"

/* Read PT_DYNAMIC at `address`. 0, or -1 with `error`. */
int image_read_dynamic(struct image *image, uint64_t address, uint64_t size,
                       struct elf_error *error);
/* Return the i-th entry; `i` is below image->dynamic.count. */
Elf64_Dyn image_dynamic_entry(const struct image *image, size_t i);
/* Return the string that a value of DT_NEEDED and the like names, or NULL. */
const char *image_dynamic_string(const struct image *image, uint64_t offset);

#endif
