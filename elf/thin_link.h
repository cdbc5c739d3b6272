/*
 * thin_link.h - link a thin object into a shared object for one process: every address is final, so that ld.so has
 * nothing to relocate but references to symbols of other objects, by name and version.
 *
 * The shared object has absolute addresses: the p_vaddr of its first PT_LOAD is the place that was chosen for it, near
 * the target. dlopen(3) passes p_vaddr to mmap(2) as a hint; where that is followed, l_addr is 0, and all addresses
 * hold. What it has:
 *
 *   R    headers, .hash, .dynsym, .dynstr, .gnu.version, .gnu.version_r, .rela.dyn, .eh_frame_hdr, .eh_frame, .rodata
 *   R X  .text, and stubs that jump to functions of other objects
 *   R W  .dynamic, .got, .data, .bss
 *        .symtab, .strtab, .debug_*: not loaded; for debuggers and profilers
 *
 * It has no constructors: DT_INIT and DT_INIT_ARRAY are never written.
 *
 * Pure functions over bytes, used by the engine and by `hotpatch check`. The thin object is outside input. Any thread;
 * one at a time for a link.
 */
#ifndef HOTPATCH_THIN_LINK_H
#define HOTPATCH_THIN_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf_error.h"
#include "elf/thin_host.h"

struct thin_file;
struct thin_link;

/* What a place for the link must be. */
struct thin_extent {
    size_t size;        /* bytes of memory */
    uint64_t low, high; /* the lowest and highest address of the first byte, inclusive */
};

/* Decide the layout. `thin` and what `host` leads to must outlive the link. Return 0, or -1 with `error`. */
int thin_link_begin(struct thin_link **out, const struct thin_file *thin,
                    const struct thin_host *host, struct elf_error *error);
void thin_link_end(struct thin_link *link); /* NULL does nothing */

struct thin_extent thin_link_extent(const struct thin_link *link);

/* Write the shared object for the place `base`, a multiple of the page size. `bytes` is malloc'd. May be called again
 * for another place. Return 0, or -1 with `error`. */
int thin_link_at(struct thin_link *link, uint64_t base, void **bytes, size_t *size,
                 struct elf_error *error);

/* Return the offset from `base` of the function of a replacement. */
uint64_t thin_link_function(const struct thin_link *link, size_t replacement);

/* Return the i-th variable that is kept and is not in the process yet: its key, and its offset from `base`. Return NULL
 * after the last. The string is the thin object's. */
const char *thin_link_kept(const struct thin_link *link, size_t i, uint64_t *at);

/* Return the addresses, before load bias, of the target's code that the placed code branches to; ascending. */
const uint64_t *thin_link_branches(const struct thin_link *link, size_t *count);

/* Return how many of the file's first bytes are a complete file without debug sections. */
size_t thin_link_whole(const struct thin_link *link);

/* A part of the link: offsets from `base`, and from the first of its bytes. */
struct thin_span {
    uint64_t at, size;
};
struct thin_span thin_link_text(const struct thin_link *link);
struct thin_span thin_link_constants(const struct thin_link *link);
/* Write the placed functions to `out`, ascending, each start once; at most `room`. Return how many there are. */
size_t thin_link_functions(const struct thin_link *link, struct thin_span *out, size_t room);

#endif
