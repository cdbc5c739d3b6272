/*
 * relocations.h - the dynamic relocations of an image: DT_RELA, DT_JMPREL, DT_RELR.
 */
#ifndef HOTPATCH_RELOCATIONS_H
#define HOTPATCH_RELOCATIONS_H

#include "arch/relocation.h"
#include "elf/symbols.h"

struct image_relocation {
    uint64_t where; /* virtual address before load bias */
    int64_t addend;
    enum arch_relocation type;
    bool plt;   /* from DT_JMPREL */
    bool relro; /* wholly inside PT_GNU_RELRO, as ld.so protects it (page-rounded) */
    bool has_symbol;
    struct image_symbol symbol;
};

/* Return whether it stores the address of the symbol that it names, for the object's own code or data. */
static inline bool relocation_binds(const struct image_relocation *relocation)
{
    return relocation->type == ARCH_RELOCATION_JUMP_SLOT ||
           relocation->type == ARCH_RELOCATION_GLOB_DAT ||
           relocation->type == ARCH_RELOCATION_ADDRESS;
}

/* Return whether it copies the data that it names into the program (System V ABI, R_*_COPY). */
static inline bool relocation_copies(const struct image_relocation *relocation)
{
    return relocation->type == ARCH_RELOCATION_COPY;
}

/* As image_symbols(). Relocations that point outside every PT_LOAD are damage. */
int image_relocations(const struct image *image,
                      int (*each)(const struct image_relocation *relocation, void *context),
                      void *context, struct elf_error *error);

/* Call `each` only for those that name a symbol, and with `name` only for those of that symbol. Much faster:
 * most relocations name none. */
int image_symbol_relocations(const struct image *image, const char *name,
                             int (*each)(const struct image_relocation *relocation, void *context),
                             void *context, struct elf_error *error);

/* Call `each` only for those of ARCH_RELOCATION_INDIRECT: ld.so calls the function at the addend, a
 * resolver, and stores what it returns. As fast. */
int image_indirect_relocations(const struct image *image,
                               int (*each)(const struct image_relocation *relocation,
                                           void *context),
                               void *context, struct elf_error *error);

/*
 * The 8-byte word at a virtual address as it will be after relocation: ARCH_RELOCATION_RELATIVE,
 * RELR (generic ABI, "Relative Relocation Table") and ARCH_RELOCATION_ADDRESS against a symbol that the
 * object itself defines are applied, as virtual addresses before load bias. For a mapped
 * image: the live word minus the load bias where it points into the object. Returns false
 * where the address is outside the object, or the word's value comes from another object.
 */
bool image_word_at(const struct image *image, uint64_t address, uint64_t *value);

/* ---- for the files of elf/ alone ---- */

enum word_source {
    WORD_OUTSIDE, /* not in the object */
    WORD_FOREIGN, /* its value comes from another object */
    WORD_WEAK,    /* 0, unless another object defines the weak symbol */
    WORD_PLAIN,   /* a number, not changed by relocation */
    WORD_ADDRESS  /* an address in the object */
};

/* As image_word_at(), with the source of the value. */
enum word_source image_word_source(const struct image *image, uint64_t address, uint64_t *value);

#endif
