/*
 * thin_dynamic.h - what ld.so reads of a linked thin object: symbols, versions, relocations, .dynamic. For the files of elf/ alone.
 */
#ifndef HOTPATCH_THIN_DYNAMIC_H
#define HOTPATCH_THIN_DYNAMIC_H

#include "elf/thin_link_parts.h"

/* Give a symbol that ld.so finds a row of .dynsym, once. Return 0, or -1 with the link's error. */
int thin_dynamic_symbol(struct thin_link *link, uint32_t symbol);
int thin_dynamic_begin(struct thin_link *link);
void thin_dynamic_sizes(struct thin_link *link); /* of its parts */
void thin_dynamic_write(const struct thin_link *link);
void thin_dynamic_end(struct thin_link *link);

#endif
