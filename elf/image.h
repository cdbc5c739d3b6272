/*
 * image.h - one ELF object, opened for reading: a file's bytes in memory, or an object that
 * ld.so has mapped into this process.
 *
 * elf/, cli/debug/debug_info.c and cli/build/object_dwarf.c are the only places that use libelf. elf/ reads and
 * never writes; every offset, count and string of the input is checked against the bytes there
 * are, since patches are outside input and a host must survive any of them. No function here logs,
 * exits or keeps a descriptor. An image may be used by one thread at a time.
 */
#ifndef HOTPATCH_IMAGE_H
#define HOTPATCH_IMAGE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf_error.h"

struct image;

/*
 * Open `size` bytes at `bytes` (a whole file; stays the caller's and must outlive the image).
 * `require_type`: ET_DYN for patches; 0: any of ET_DYN and ET_EXEC.
 * 0, or -1 with `error`.
 */
int image_open(struct image **out, const void *bytes, size_t size, uint16_t require_type,
               struct elf_error *error);

/*
 * Open an object that is mapped in this process, from what dl_iterate_phdr(3) tells of it.
 * Reads only what PT_DYNAMIC and PT_NOTE lead to, so there is no .symtab and no section.
 * The object must stay mapped while the image is open. 0, or -1 with `error`.
 */
int image_open_mapped(struct image **out, const struct dl_phdr_info *info, struct elf_error *error);

void image_close(struct image *image); /* NULL is allowed */

/* Return whether it is a program that no dynamic linker starts: no PT_INTERP, no DT_NEEDED, no DT_SONAME,
 * and DF_1_PIE where it is ET_DYN. */
bool image_is_static(const struct image *image);
const char *image_interpreter(const struct image *image); /* PT_INTERP or NULL */
const char *image_soname(const struct image *image);      /* DT_SONAME or NULL */
/* Return the NT_GNU_BUILD_ID note as hex digits, "" where there is none. */
const char *image_build_id(const struct image *image);
/* Return the i-th DT_NEEDED, or NULL after the last. */
const char *image_needed(const struct image *image, size_t i);
/* Return the directories, between colons, of DT_RUNPATH, or of DT_RPATH, which ld.so ignores beside
 * DT_RUNPATH; NULL: none. */
const char *image_search_path(const struct image *image, bool runpath);
bool image_has_textrel(const struct image *image);

#endif
