/*
 * image_internal.h - what the files of elf/ share and nobody else sees.
 *
 * Everything here was checked by image_open() or image_open_mapped() against the bytes there
 * are, but for the members of `struct image_lazy`, which are read when first asked for.
 */
#ifndef HOTPATCH_IMAGE_INTERNAL_H
#define HOTPATCH_IMAGE_INTERNAL_H

#include <elf.h>
#include <gelf.h>

#include "elf/image.h"
#include "elf/symbols.h"

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

struct symbol_table {
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
    struct records chain; /* as far as the file reaches: the table does not tell its length */
};

/* DT_HASH; generic ABI, "Hash Table". */
struct sysv_hash {
    uint32_t bucket_count; /* 0: there is no such table */
    const uint8_t *buckets;
    struct records chain;
};

enum word_source {
    WORD_OUTSIDE, /* not in the object */
    WORD_FOREIGN, /* its value comes from another object */
    WORD_WEAK,    /* 0, unless another object defines the weak symbol */
    WORD_PLAIN,   /* a number, not changed by relocation */
    WORD_ADDRESS  /* an address in the object */
};

/* A word that the dynamic relocations write. */
struct relocated_word {
    uint64_t where;
    uint64_t value; /* before load bias */
    uint32_t order; /* ld.so applies them in this order: the last one counts */
    enum word_source source;
};

/* Filled when first needed; freed by image_close(). */
struct image_lazy {
    bool dynsym_counted, symtab_read, versions_read, words_read, hash_checked;
    bool hash_sound;
    size_t dynsym_count;
    struct symbol_table symtab;
    const char **versions; /* by version index */
    size_t version_count;
    struct relocated_word *words; /* sorted by where, then order */
    size_t word_count;
};

struct image {
    Elf *elf; /* NULL: mapped */
    const uint8_t *bytes;
    size_t size;
    uint64_t bias; /* of a mapped object */
    uint16_t type; /* ET_DYN or ET_EXEC */
    bool binds_now, has_textrel;
    bool names_stack;                 /* there is a PT_GNU_STACK */
    uint32_t stack_flags;             /* its flags */
    uint64_t flags_1;                 /* DT_FLAGS_1 */
    uint64_t relro_begin, relro_end;  /* as ld.so protects it; equal: none */
    uint64_t unwind, unwind_size;     /* PT_GNU_EH_FRAME, not checked; size 0: none */
    const char *interpreter, *soname; /* or NULL */
    char build_id[IMAGE_BUILD_ID_TEXT];
    struct records dynamic;     /* Elf64_Dyn up to DT_NULL */
    struct symbol_table dynsym; /* count: what fits into the file; see image_dynsym_count() */
    struct gnu_hash gnu_hash;
    struct sysv_hash sysv_hash;
    struct records rela, jmprel; /* Elf64_Rela */
    struct records relr;         /* Elf64_Relr */
    struct records versym;       /* Elf64_Versym */
    uint64_t verdef, verneed;
    uint64_t verdef_count, verneed_count;
    struct image_lazy lazy_storage;
    struct image_lazy *lazy; /* what a const image may still fill */
    size_t segment_count;
    struct segment segments[];
};

/* Record why a call fails; always -1, so that `return image_fail(...)` reads as one statement.
 * A macro, so that compilers and analyzers of the other files see the -1. */
#define image_fail(...) (image_set_error(__VA_ARGS__), -1)
void image_set_error(struct elf_error *fault, enum elf_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The PT_LOAD that holds all of [address, address + size) in memory, or NULL. */
const struct segment *image_segment(const struct image *image, uint64_t address, uint64_t size);
/* Whether it lies in one PT_LOAD that has all of `flags`. */
bool image_has(const struct image *image, uint64_t address, uint64_t size, uint32_t flags);
bool image_in_relro(const struct image *image, uint64_t address, uint64_t size);
/* How many bytes a file has from `address` on to the end of that PT_LOAD. */
uint64_t image_bytes_from(const struct image *image, uint64_t address);
bool image_is_mapped(const struct image *image);

/* The first 64 bytes of a file of `size` bytes, and where its header tables lie. 0, or -1. */
int image_check_file_header(const uint8_t *bytes, size_t size, uint16_t require_type,
                            Elf64_Ehdr *header, struct elf_error *fault);
int image_check_header_tables(const Elf64_Ehdr *header, size_t size, struct elf_error *fault);
/* The build-id among notes, as hex digits; `out` begins as "" and stays so where there is none. */
int image_notes_build_id(const uint8_t *notes, uint64_t size, uint64_t alignment,
                         char out[IMAGE_BUILD_ID_TEXT], struct elf_error *fault);

/* PT_DYNAMIC at `address`; dynamic.c. 0, or -1 with `fault`. */
int image_read_dynamic(struct image *image, uint64_t address, uint64_t size,
                       struct elf_error *fault);
/* A value of DT_NEEDED and the like, or NULL. */
const char *image_dynamic_string(const struct image *image, uint64_t offset);

/* The section of that name (NULL: any) and type (SHT_NULL: any), of a file only. */
bool image_section(const struct image *image, const char *name, uint32_t type, GElf_Shdr *section);

/* The i-th symbol; false where its name is out of the table. `i` is below the table's count. */
bool image_symbol_get(const struct image *image, const struct symbol_table *table, size_t i,
                      struct image_symbol *symbol);
/* How many symbols .dynsym has. 0, or -1 with `fault`. */
int image_dynsym_count(const struct image *image, size_t *out, struct elf_error *fault);
/* symbol_hash.c: what is wrong with the chains of DT_GNU_HASH or DT_HASH, or NULL. */
const char *image_hash_problem(const struct image *image);
/* Whether there is a hash table, and nothing is wrong with it. */
bool image_hash_is_sound(const struct image *image);
/* Call `each` with the index in .dynsym of every symbol whose name may be `name`, until it returns non-zero,
 * which is returned. The hash table is sound. */
typedef int image_hash_visit(size_t i, void *context);
int image_hash_look_up(const struct image *image, const char *name, image_hash_visit *each,
                       void *context);
size_t image_gnu_hash_count(const struct gnu_hash *hash);
/* Fill lazy->versions. 0, or -1 with `fault`. */
int image_read_versions(const struct image *image, struct elf_error *fault);

/* As image_word_at(), which says less. */
enum word_source image_word_source(const struct image *image, uint64_t address, uint64_t *value);

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
