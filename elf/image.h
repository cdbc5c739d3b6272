/*
 * image.h - one ELF object, opened for reading: a file's bytes in memory, or an object that
 * ld.so has mapped into this process.
 *
 * elf/ and the command's cli/debug_info.c are the only places that include libelf. elf/ reads and
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

enum elf_error_code {
    ELF_OK,
    ELF_NOT,           /* not an ELF file */
    ELF_CLASS_WRONG,   /* not 64-bit little-endian */
    ELF_MACHINE_WRONG, /* another machine than this one */
    ELF_TYPE_WRONG,    /* neither ET_DYN nor ET_EXEC */
    ELF_DAMAGED,       /* structures contradict each other or point out of the file */
    ELF_NO_MANIFEST,
    ELF_MANIFEST_DAMAGED, /* magic, sizes, counts or pointers */
    ELF_MANIFEST_VERSION, /* of another ABI version */
    ELF_TABLE_DAMAGED,    /* a slot table likewise */
    ELF_NO_MEMORY
};

/* Why a call failed: a code and one sentence without a newline. */
struct elf_error {
    enum elf_error_code code;
    char text[256];
};

struct image;

/*
 * Open `size` bytes at `bytes` (a whole file; stays the caller's and must outlive the image).
 * `require_type`: ET_DYN for patches; 0: any of ET_DYN and ET_EXEC.
 * 0, or -1 with `fault`.
 */
int image_open(struct image **out, const void *bytes, size_t size, uint16_t require_type,
               struct elf_error *fault);

/*
 * Open an object that is mapped in this process, from what dl_iterate_phdr(3) tells of it.
 * Reads only what PT_DYNAMIC and PT_NOTE lead to, so there is no .symtab and no section.
 * The object must stay mapped while the image is open. 0, or -1 with `fault`.
 */
int image_open_mapped(struct image **out, const struct dl_phdr_info *info, struct elf_error *fault);

void image_close(struct image *image); /* NULL is allowed */

bool image_is_pie_or_library(const struct image *image); /* ET_DYN */
/* A program that no dynamic linker starts: no PT_INTERP, no DT_NEEDED, no DT_SONAME, and DF_1_PIE where it is ET_DYN. */
bool image_is_static(const struct image *image);
const char *image_interpreter(const struct image *image); /* PT_INTERP or NULL */
const char *image_soname(const struct image *image);      /* DT_SONAME or NULL */
/* The NT_GNU_BUILD_ID note as hex digits, "" where there is none. */
const char *image_build_id(const struct image *image);
/* The i-th DT_NEEDED, or NULL past the last. */
const char *image_needed(const struct image *image, size_t i);
/* The directories of DT_RUNPATH, or of DT_RPATH, which does not count beside DT_RUNPATH, between colons;
 * NULL: none. */
const char *image_search_path(const struct image *image, bool runpath);
bool image_binds_now(const struct image *image); /* DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW */
bool image_has_textrel(const struct image *image);

/* A NUL-terminated string, or `size` bytes, at a virtual address of the object (before
 * load bias), inside a file-backed part of a PT_LOAD; else NULL. */
const char *image_string_at(const struct image *image, uint64_t address);
const void *image_bytes_at(const struct image *image, uint64_t address, size_t size);

/*
 * The 8-byte word at a virtual address as it will be after relocation: ARCH_RELOCATION_RELATIVE,
 * RELR (generic ABI, "Relative Relocation Table") and ARCH_RELOCATION_ADDRESS against a symbol that the
 * object itself defines are applied, as virtual addresses before load bias. For a mapped
 * image: the live word minus the load bias where it points into the object. Returns false
 * where the address is outside the object, or the word's value comes from another object.
 */
bool image_word_at(const struct image *image, uint64_t address, uint64_t *value);

#endif
