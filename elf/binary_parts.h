/*
 * binary_parts.h - the parts of a `struct binary`, for the files elf/binary*.c alone.
 */
#ifndef HOTPATCH_BINARY_PARTS_H
#define HOTPATCH_BINARY_PARTS_H

#include "elf/binary_entry.h"
#include "elf/image_parts.h"

/* A word that the dynamic relocations write. */
struct binary_relocated {
    uint64_t where;
    uint32_t order; /* ld.so applies them in this order: the last one counts */
    struct binary_word word;
};

struct binary {
    uint8_t *bytes; /* the whole file */
    size_t size;
    struct image *image;
    bool twin;
    uint64_t tls_address, tls_size, tls_align; /* PT_TLS; size 0: none */

    struct binary_relocated *words; /* ascending by `where` */
    size_t word_count, word_capacity;

    struct binary_symbol *symbols; /* of .symtab, all defined ones but STT_FILE and STT_SECTION */
    size_t symbol_count;
    char *strings; /* pages.h */
    size_t strings_size;
    const char **files; /* STT_FILE, in the order of .symtab */
    uint32_t group_count;
    size_t function_count;
    uint32_t *by_address; /* symbols but thread-locals */
    size_t by_address_count;
    uint32_t *buckets, *next_named; /* by name: index + 1; 0: the end */
    size_t bucket_count;            /* power of two */
};

#endif
