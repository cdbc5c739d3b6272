/*
 * relocations.h - the dynamic relocations of an image: DT_RELA, DT_JMPREL, DT_RELR.
 */
#ifndef HOTPATCH_RELOCATIONS_H
#define HOTPATCH_RELOCATIONS_H

#include "elf/symbols.h"

struct image_relocation {
    uint64_t where; /* virtual address before load bias */
    int64_t addend;
    uint32_t type; /* R_X86_64_*; RELR entries appear as R_X86_64_RELATIVE */
    bool plt;      /* from DT_JMPREL */
    bool relro;    /* wholly inside PT_GNU_RELRO, as ld.so protects it (page-rounded) */
    bool has_symbol;
    struct image_symbol symbol;
};

/* As image_symbols(). Relocations that point outside every PT_LOAD are damage. */
int image_relocations(const struct image *image,
                      int (*each)(const struct image_relocation *relocation, void *context),
                      void *context, struct elf_error *fault);

/* Only those that name a symbol, and of these only those of the symbol `name`, where it is not
 * NULL. Much faster: most relocations name none. */
int image_symbol_relocations(const struct image *image, const char *name,
                             int (*each)(const struct image_relocation *relocation, void *context),
                             void *context, struct elf_error *fault);

/* Only those of type R_X86_64_IRELATIVE: ld.so calls the function at the addend, a resolver, and stores what
 * it returns (System V ABI AMD64, "Relocation Types"). As fast. */
int image_indirect_relocations(const struct image *image,
                               int (*each)(const struct image_relocation *relocation,
                                           void *context),
                               void *context, struct elf_error *fault);

#endif
