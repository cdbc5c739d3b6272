/*
 * thin_link_scan.h - decide the parts of a link: where sections go, and which words and stubs relocations
 * need. For the files of elf/ alone.
 */
#ifndef HOTPATCH_THIN_LINK_SCAN_H
#define HOTPATCH_THIN_LINK_SCAN_H

#include "elf/thin_link_parts.h"

/* Return the placed symbol that stands for an address of the target and lies at `offset` of a section; 0: none. */
uint32_t thin_hosted_at(const struct thin_link *link, uint32_t section, uint64_t offset);
/* Return whether the symbol has no place in the process: nothing may refer to it but debug information. */
bool thin_is_missing(const struct thin_link *link, uint32_t symbol);
/* Return whether the relocation is the target of a call or jump. */
bool thin_is_branch(const struct thin_link *link, uint32_t section, const struct rel_relocation *r);
/* Return whether ld.so applies the relocation: an address of 8 bytes that only ld.so knows. */
bool thin_is_dynamic(const struct thin_link *link, const struct rel_relocation *r);
/* Give the function a stub within reach, that jumps to where ld.so finds it. Return 0, or -1 with the link's error. */
int thin_need_stub(struct thin_link *link, uint32_t symbol);
/* Decide the parts of sections, words, stubs and relocations for ld.so. Return 0, or -1 with the link's error. */
int thin_scan(struct thin_link *link);

#endif
