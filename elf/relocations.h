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

/* Does it store the address of the symbol that it names, for the object's own code or data? */
static inline bool relocation_binds(const struct image_relocation *relocation)
{
    return relocation->type == ARCH_RELOCATION_JUMP_SLOT ||
           relocation->type == ARCH_RELOCATION_GLOB_DAT ||
           relocation->type == ARCH_RELOCATION_ADDRESS;
}

/* Does it copy the data that it names into the program (System V ABI, R_*_COPY)? */
static inline bool relocation_copies(const struct image_relocation *relocation)
{
    return relocation->type == ARCH_RELOCATION_COPY;
}

/* As image_symbols(). Relocations that point outside every PT_LOAD are damage. */
int image_relocations(const struct image *image,
                      int (*each)(const struct image_relocation *relocation, void *context),
                      void *context, struct elf_error *fault);

/* Only those that name a symbol, and of these only those of the symbol `name`, where it is not
 * NULL. Much faster: most relocations name none. */
int image_symbol_relocations(const struct image *image, const char *name,
                             int (*each)(const struct image_relocation *relocation, void *context),
                             void *context, struct elf_error *fault);

/* Only those of ARCH_RELOCATION_INDIRECT: ld.so calls the function at the addend, a resolver, and stores what it
 * returns. As fast. */
int image_indirect_relocations(const struct image *image,
                               int (*each)(const struct image_relocation *relocation,
                                           void *context),
                               void *context, struct elf_error *fault);

#endif
