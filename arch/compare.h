/*
 * compare.h - compares the code of one function of a relocatable object with code that a linker wrote from it.
 *
 * Both streams are decoded in step. What a linker and an assembler may choose counts as equal: padding, lengths of
 * jumps, rewritten accesses to the GOT and to thread-locals. What the relocated fields refer to is for the caller, who
 * is asked for each. Compiled into the command alone; any thread.
 */
#ifndef HOTPATCH_ARCH_COMPARE_H
#define HOTPATCH_ARCH_COMPARE_H

#include "arch/thin.h"

enum arch_reference_kind {
    ARCH_REFERENCE_ADDRESS,  /* `at` is symbol + offset */
    ARCH_REFERENCE_BRANCH,   /* likewise, of a direct call or jump */
    ARCH_REFERENCE_WORD,     /* likewise, of a field of 8 bytes that ld.so may relocate: `field` */
    ARCH_REFERENCE_GOT,      /* `at` is a word that holds the symbol's address */
    ARCH_REFERENCE_GOT_BASE, /* `at` - offset is the base of the GOT */
    ARCH_REFERENCE_SIZE,     /* `at` - offset is the symbol's size */
    ARCH_REFERENCE_TLS_OFFSET, /* `at` - offset is a thread-local's offset from the thread pointer */
    ARCH_REFERENCE_TLS_GOT,    /* `at` is a word that holds that offset */
    ARCH_REFERENCE_TLS_PAIR,   /* `at` is two words: module and offset */
    ARCH_REFERENCE_TLS_MODULE, /* likewise, of the module alone */
    ARCH_REFERENCE_TLS_BLOCK, /* `at` - offset is the offset in the block; in a program, from the thread pointer */
    ARCH_REFERENCE_TLS_DESCRIPTOR /* `at` is two words, a descriptor */
};

/* The symbol of a reference without a relocation: `offset` is a place in the function's own section. */
#define ARCH_REFERENCE_OWN UINT32_MAX

/* What a relocated field of the object refers to, and where that of the binary leads. */
struct arch_reference {
    enum arch_reference_kind kind;
    uint32_t symbol;
    int64_t offset; /* counted from the symbol */
    uint64_t at;    /* in the binary */
    uint64_t place; /* offset of the instruction in the object's section */
    uint64_t field; /* address of the field in the binary */
};

struct arch_compare {
    const uint8_t *object;                    /* the section's bytes */
    uint64_t begin, end;                      /* the function in it */
    const struct rel_relocation *relocations; /* of the function, ascending */
    size_t relocation_count;
    const uint8_t *binary; /* the function's first byte */
    size_t binary_size; /* of the function's symbol, at most what the file has; 0 is not allowed */
    size_t binary_room; /* bytes that the file has there */
    bool unsized;       /* the symbol has no size: `binary_size` is a bound */
    uint64_t address;   /* of that byte */
    /* Return NULL where both are the same, or what differs, in words. */
    const char *(*refer)(const struct arch_reference *reference, void *context);
    void *context;
};

/* A part of the function whose bytes have one distance in object and binary. */
struct arch_compared_run {
    uint64_t object; /* offset in the section */
    uint64_t length;
    uint64_t binary; /* offset from the function's first byte */
};

struct arch_compared {
    bool equal;
    uint64_t at; /* where it is not: counted from the function's first byte, in the object */
    char reason[200];
    uint64_t size; /* of the code in the binary */
    struct arch_compared_run *runs;
    size_t run_count, run_capacity;
};

/* Compare. 0, or -1: no memory. Free the result with arch_compared_free() in both cases. */
int arch_compare(const struct arch_compare *question, struct arch_compared *out);
void arch_compared_free(struct arch_compared *compared);

/* Return whether an offset of the object's section is the same place as an offset from the function's first byte in the
 * binary. */
bool arch_compared_leads(const struct arch_compared *compared, uint64_t object, uint64_t binary);

#endif
