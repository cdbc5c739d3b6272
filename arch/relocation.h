/*
 * relocation.h - the value that a dynamic relocation stores, independent of the numbers in the machine's ABI.
 * arch/x86_64/relocation.c knows the numbers.
 *
 * Pure functions: any thread.
 */
#ifndef HOTPATCH_ARCH_RELOCATION_H
#define HOTPATCH_ARCH_RELOCATION_H

#include <stdint.h>

enum arch_relocation {
    ARCH_RELOCATION_NONE,           /* nothing */
    ARCH_RELOCATION_RELATIVE,       /* load bias + addend; also an entry of DT_RELR */
    ARCH_RELOCATION_ADDRESS,        /* symbol + addend, a word of data */
    ARCH_RELOCATION_GLOB_DAT,       /* symbol, a word of the GOT */
    ARCH_RELOCATION_JUMP_SLOT,      /* symbol, a word that a PLT entry jumps through */
    ARCH_RELOCATION_COPY,           /* the symbol's data, copied into the program */
    ARCH_RELOCATION_INDIRECT,       /* the result of the resolver at load bias + addend */
    ARCH_RELOCATION_TLS_OFFSET,     /* a thread-local's offset from the thread pointer */
    ARCH_RELOCATION_TLS_MODULE,     /* the number of a thread-local's module */
    ARCH_RELOCATION_TLS_BLOCK,      /* a thread-local's offset in its module's block */
    ARCH_RELOCATION_TLS_DESCRIPTOR, /* two words: a thread-local's descriptor */
    ARCH_RELOCATION_OTHER
};

/* Return the kind of a relocation of type `number` (ELF64_R_TYPE). */
enum arch_relocation arch_relocation(uint32_t number);

/* Return the type of an INDIRECT relocation. A loop that needs only these compares numbers. */
uint32_t arch_relocation_indirect(void);

#endif
