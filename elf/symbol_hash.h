/*
 * symbol_hash.h - DT_GNU_HASH and DT_HASH: .dynsym by name. For the files of elf/ alone.
 */
#ifndef HOTPATCH_SYMBOL_HASH_H
#define HOTPATCH_SYMBOL_HASH_H

#include "elf/image_parts.h"

/* Return what is wrong with the chains of DT_GNU_HASH or DT_HASH, or NULL. */
const char *image_hash_problem(const struct image *image);
/* Return whether there is a hash table, and nothing is wrong with it. */
bool image_hash_is_sound(const struct image *image);
/* Call `each` with the index in .dynsym of every symbol whose name may be `name`, until it returns non-zero,
 * which is returned. The hash table is sound. */
typedef int image_hash_visit(size_t i, void *context);
int image_hash_look_up(const struct image *image, const char *name, image_hash_visit *each,
                       void *context);
/* Return one past the index of the last symbol that a sound table holds. */
size_t image_gnu_hash_count(const struct gnu_hash *hash);

#endif
