/*
 * thin_relocate.h - write the fields that relocations of a thin object name. For the files of elf/ alone.
 */
#ifndef HOTPATCH_THIN_RELOCATE_H
#define HOTPATCH_THIN_RELOCATE_H

#include "elf/thin_link_parts.h"

/* Write the field of a relocation of `section`. `at`: the field's offset from the first byte of the link; `field`: its
 * bytes. Of a debug section, and of unwinding tables, `own`: a function's address is its placed copy's. Return 0, or -1
 * with the link's error. */
int thin_relocate(const struct thin_link *link, uint32_t section, const struct rel_relocation *r,
                  uint64_t at, bool own, uint8_t *field);
/* Write the loaded sections with their fields, the words and the stubs. */
int thin_relocate_all(const struct thin_link *link);

#endif
