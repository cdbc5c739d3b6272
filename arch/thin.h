/*
 * thin.h - the relocations of relocatable objects (ET_REL), independent of the numbers in the machine's ABI.
 * arch/x86_64/thin.c knows the numbers.
 *
 * Pure functions: any thread. They allocate nothing, decode nothing, and write only the field that they are given.
 */
#ifndef HOTPATCH_ARCH_THIN_H
#define HOTPATCH_ARCH_THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One relocation of a section: Elf64_Rela. */
struct rel_relocation {
    uint64_t
        offset; /* in its section; the whole field lies in the section where the type is known */
    int64_t addend;
    uint32_t type;   /* ELF64_R_TYPE */
    uint32_t symbol; /* index; 0: none */
};

/* What a relocation refers to. */
enum arch_thin_target {
    ARCH_THIN_UNKNOWN,      /* refuse the object */
    ARCH_THIN_NONE,         /* stores nothing */
    ARCH_THIN_ADDRESS,      /* the symbol's address */
    ARCH_THIN_BRANCH,       /* the symbol's address, or a stub that jumps there: PLT32 */
    ARCH_THIN_GOT,          /* a word that holds the symbol's address */
    ARCH_THIN_GOT_BASE,     /* the symbol _GLOBAL_OFFSET_TABLE_: any fixed address of the object */
    ARCH_THIN_GOT_RELATIVE, /* the symbol's address, counted from that base: GOTOFF64, PLTOFF64 */
    ARCH_THIN_GOT_OFFSET,   /* a word that holds the symbol's address, counted from that base */
    ARCH_THIN_SIZE,         /* the symbol's size */
    ARCH_THIN_TLS_OFFSET,   /* the variable's offset from the thread pointer */
    ARCH_THIN_TLS_GOT,      /* a word that holds that offset: initial-exec */
    ARCH_THIN_TLS_PAIR,     /* two words, module and offset of the variable: general-dynamic */
    ARCH_THIN_TLS_MODULE,   /* two words, module and 0: local-dynamic */
    ARCH_THIN_TLS_BLOCK,    /* the variable's offset in its module's block */
    ARCH_THIN_TLS_DESCRIPTOR,     /* two words, a TLS descriptor */
    ARCH_THIN_TLS_DESCRIPTOR_CALL /* marks the call through a descriptor; stores nothing */
};

struct arch_thin {
    enum arch_thin_target target;
    uint8_t size;    /* bytes of the field: 0, 1, 2, 4, 8 */
    bool relative;   /* the value is counted from the field */
    bool sign, zero; /* the field is extended so; both: either way is right, as for 8 and 16 bits */
    bool relaxable;  /* the linker may rewrite the instruction: GOTPCRELX and the like */
};

/* Return what the relocation of that number means. Unknown numbers: ARCH_THIN_UNKNOWN. */
struct arch_thin arch_thin(uint32_t number);

/*
 * Store a relocation: `target` + `addend`, less `place` (the field's own address) where it is relative. `target` is what
 * the relocation's kind says: an address, the address of a word, an offset, a size. `field` has arch_thin().size
 * bytes. False: the value does not fit, or the number is not known; then nothing is written.
 */
bool arch_thin_apply(uint32_t number, uint8_t *field, uint64_t place, uint64_t target,
                     int64_t addend);

/* Return whether the relocation at `offset` of a section's bytes is the target of a direct call or jump, so that a stub
 * may stand between. */
bool arch_thin_is_branch(uint32_t number, const uint8_t *bytes, uint64_t offset);

enum { ARCH_THIN_STUB_SIZE = 16 };

/* Write a stub at address `place` that jumps to the address in the word at `word`. False: the word is too far. */
bool arch_thin_stub(uint8_t stub[ARCH_THIN_STUB_SIZE], uint64_t place, uint64_t word);

/* Return the number (ELF64_R_TYPE) of a relocation that hotpatch writes itself. The DYNAMIC ones are for the dynamic
 * linker: the address of a symbol in a GOT word, load bias + addend, and of a thread-local: its offset from the thread
 * pointer, its module, its offset in the block. */
enum arch_thin_number {
    ARCH_THIN_ABSOLUTE_64, /* static and dynamic */
    ARCH_THIN_ABSOLUTE_32,
    ARCH_THIN_RELATIVE_32,
    ARCH_THIN_RELATIVE_64,
    ARCH_THIN_DYNAMIC_GOT,
    ARCH_THIN_DYNAMIC_RELATIVE,
    ARCH_THIN_DYNAMIC_INDIRECT,
    ARCH_THIN_DYNAMIC_TLS_OFFSET,
    ARCH_THIN_DYNAMIC_TLS_MODULE,
    ARCH_THIN_DYNAMIC_TLS_BLOCK
};
uint32_t arch_thin_number(enum arch_thin_number kind);

#endif
