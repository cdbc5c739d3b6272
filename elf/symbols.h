/*
 * symbols.h - names in an image: .dynsym (by DT_SYMTAB) and, where there is one, .symtab.
 */
#ifndef HOTPATCH_SYMBOLS_H
#define HOTPATCH_SYMBOLS_H

#include "elf/image.h"

struct image_symbol {
    const char *name;    /* lives as long as the image */
    const char *version; /* symbol version without @, or NULL; .dynsym only */
    const char *file;    /* the STT_FILE that a local .symtab symbol lies under, or NULL */
    uint64_t value;      /* virtual address before load bias (TLS: offset) */
    uint64_t size;
    uint8_t type;        /* STT_* */
    uint8_t binding;     /* STB_* */
    uint8_t visibility;  /* STV_* */
    bool defined;        /* st_shndx != SHN_UNDEF */
    bool version_hidden; /* VERSYM_HIDDEN: not the default version */
    bool dynamic;        /* from .dynsym */
};

/* Call `each` for every named symbol of .dynsym, then of .symtab; a non-zero return stops and is returned.
 * -1 with `error` where the tables are damaged; 0 at the end. */
int image_symbols(const struct image *image,
                  int (*each)(const struct image_symbol *symbol, void *context), void *context,
                  struct elf_error *error);

/* Find the defined symbol of that name; .dynsym (default version preferred) before .symtab, global before
 * local. Uses the hash table where there is one. */
bool image_symbol(const struct image *image, const char *name, struct image_symbol *symbol);

/* Call `each` for every symbol of .dynsym that is defined under that name, old versions as well. Uses the
 * hash table where there is a sound one. Returns as image_symbols() does. */
int image_symbols_named(const struct image *image, const char *name,
                        int (*each)(const struct image_symbol *symbol, void *context),
                        void *context, struct elf_error *error);

/* ---- for the files of elf/ alone ---- */

struct image_symbol_table;

/* Read the i-th symbol; false where its name is out of the table. `i` is below the table's count. */
bool image_symbol_get(const struct image *image, const struct image_symbol_table *table, size_t i,
                      struct image_symbol *symbol);
/* Count the symbols of .dynsym. 0, or -1 with `error`. */
int image_dynsym_count(const struct image *image, size_t *out, struct elf_error *error);

#endif
