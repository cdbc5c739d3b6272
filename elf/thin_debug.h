/*
 * thin_debug.h - what of a linked thin object is not loaded: section headers, .symtab, debug sections. For the files of elf/ alone.
 */
#ifndef HOTPATCH_THIN_DEBUG_H
#define HOTPATCH_THIN_DEBUG_H

#include "elf/thin_link_parts.h"

int thin_debug_plan(struct thin_link *link);
int thin_debug_write(const struct thin_link *link);
/* Return the size of the file; thin_debug_plan() has decided it. */
size_t thin_debug_file_size(const struct thin_link *link);
void thin_debug_end(struct thin_link *link);

#endif
