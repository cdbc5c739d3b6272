/*
 * image_parts.h - the parts of a `struct image`, for the files of elf/ alone: PT_LOADs, tables of PT_DYNAMIC, and
 * which part holds an address.
 *
 * image_open() and image_open_mapped() check all members against the bytes there are, except those of
 * `struct image_lazy`, which are read when a function first needs them. The functions read only; any thread.
 */
#ifndef HOTPATCH_IMAGE_PARTS_H
#define HOTPATCH_IMAGE_PARTS_H

#include <elf.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_PAGE UINT64_C(4096)
#define IMAGE_BUILD_ID_MAX 64 /* bytes; SHA-1 has 20 */
#define IMAGE_BUILD_ID_TEXT (2 * IMAGE_BUILD_ID_MAX + 1)

/* One PT_LOAD. */
struct segment {
    uint64_t address; /* before load bias */
    uint64_t file_size;
    uint64_t memory_size;
    const uint8_t *bytes; /* of `address`: in the file's bytes, or live */
    uint32_t flags;       /* PF_R, PF_W, PF_X */
};

/* An array of fixed-size records inside the image; possibly unaligned. */
struct records {
    const uint8_t *bytes;
    size_t count;
};

/* The string table ends in a NUL, so that any offset below `size` is a string. */
struct strings {
    const char *bytes;
    size_t size;
};

struct image_symbol_table {
    struct records symbols; /* Elf64_Sym */
    struct strings strings;
    bool dynamic;
};

/* DT_GNU_HASH; https://sourceware.org/gnu-gabi/program-loading-and-dynamic-linking.txt */
struct gnu_hash {
    uint32_t bucket_count; /* 0: there is no such table */
    uint32_t first_symbol;
    uint32_t bloom_count; /* power of two */
    uint32_t bloom_shift;
    const uint8_t *bloom;
    const uint8_t *buckets;
    struct records chain; /* up to the end of the file: the table does not hold its length */
};

/* DT_HASH; generic ABI, "Hash Table". */
struct sysv_hash {
    uint32_t bucket_count; /* 0: there is no such table */
    const uint8_t *buckets;
    struct records chain;
};

struct relocated_word;

/* Filled when first needed; freed by image_close(). */
struct image_lazy {
    bool dynsym_counted, symtab_read, versions_read, words_read, hash_checked;
    bool hash_sound;
    size_t dynsym_count;
    struct image_symbol_table symtab;
    const char **versions; /* by version index */
    size_t version_count;
    struct relocated_word *words; /* relocations.c */
    size_t word_count;
};

struct image {
    Elf *elf; /* NULL: mapped */
    const uint8_t *bytes;
    size_t size;
    uint64_t bias; /* of a mapped object */
    uint16_t type; /* ET_DYN or ET_EXEC */
    bool has_textrel;
    bool names_stack;                 /* there is a PT_GNU_STACK */
    uint32_t stack_flags;             /* its flags */
    uint64_t flags_1;                 /* DT_FLAGS_1 */
    uint64_t relro_begin, relro_end;  /* as ld.so protects it; equal: none */
    uint64_t unwind, unwind_size;     /* PT_GNU_EH_FRAME, not checked; size 0: none */
    const char *interpreter, *soname; /* or NULL */
    char build_id[IMAGE_BUILD_ID_TEXT];
    struct records dynamic;           /* Elf64_Dyn up to DT_NULL */
    struct image_symbol_table dynsym; /* count: what fits into the file; see image_dynsym_count() */
    struct gnu_hash gnu_hash;
    struct sysv_hash sysv_hash;
    struct records rela, jmprel; /* Elf64_Rela */
    struct records relr;         /* Elf64_Relr */
    struct records versym;       /* Elf64_Versym */
    uint64_t verdef, verneed;
    uint64_t verdef_count, verneed_count;
    struct image_lazy lazy_storage;
    struct image_lazy *lazy; /* members that a const image may fill */
    size_t segment_count;
    struct segment segments[];
};

/* Return whether ld.so has mapped the object into this process; else the image is a file. */
bool image_is_mapped(const struct image *image);

/* Find the section of that name (NULL: any) and type (SHT_NULL: any), of a file only. */
bool image_section(const struct image *image, const char *name, uint32_t type, GElf_Shdr *section);

static inline uint32_t image_load32(const uint8_t *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t image_load64(const uint8_t *bytes)
{
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

#endif
