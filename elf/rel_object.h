/*
 * rel_object.h - reads a relocatable object file (ET_REL) in memory: what a compiler writes, and the thin objects
 * that hotpatch itself writes.
 *
 * Compiled into engine and command. The bytes are outside input: every offset, count, index and string is checked
 * against the bytes there are before rel_object_open() (rel_object_read.h) returns, so that all members can be used without a check.
 * What a relocation means, and whether its type is known, is for arch/thin.h. Nothing here uses libelf, logs, or
 * keeps a descriptor; any thread.
 */
#ifndef HOTPATCH_REL_OBJECT_H
#define HOTPATCH_REL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/thin.h"

/* rel_symbol.section of a symbol that lies in no section. */
#define REL_UNDEFINED UINT32_C(0)
#define REL_ABSOLUTE UINT32_C(0xfffffffe) /* `value` is a number, SHN_ABS */
#define REL_COMMON UINT32_C(0xffffffff)   /* `value` is the alignment, SHN_COMMON */

struct rel_section {
    const char *name;
    uint32_t type;  /* SHT_* */
    uint64_t flags; /* SHF_* */
    uint64_t size;
    uint64_t align; /* a power of two, at least 1 */
    uint64_t entry_size;
    const uint8_t *bytes;                     /* NULL: SHT_NOBITS, or no byte */
    const struct rel_relocation *relocations; /* ascending by offset */
    size_t relocation_count;
    uint32_t link, info;
    uint32_t group; /* index of its SHT_GROUP section; 0: none */
};

struct rel_symbol {
    const char *name; /* of an STT_SECTION symbol: the section's name; never NULL */
    uint64_t value;   /* offset in its section, at most the section's size */
    uint64_t size;
    uint8_t type;       /* STT_* */
    uint8_t binding;    /* STB_* */
    uint8_t visibility; /* STV_* */
    uint32_t section;   /* index, REL_UNDEFINED, REL_ABSOLUTE, REL_COMMON */
};

/* A run of rel_object.by_section: the symbols of one section. */
struct rel_symbols {
    const uint32_t *indexes; /* by value; of one value in the order of .symtab */
    size_t count;
};

struct rel_object {
    const uint8_t *bytes; /* the caller's */
    size_t size;
    struct rel_section *sections; /* [0] is empty, as in the file */
    size_t section_count;
    struct rel_symbol *symbols; /* [0] is empty, as in the file */
    size_t symbol_count;
    const char *file; /* the first STT_FILE; "" where there is none */
    uint32_t flags;   /* e_flags */

    /* ---- of rel_object.c and rel_object_read.c alone ---- */
    struct rel_relocation *all_relocations;
    size_t *section_symbols; /* section_count + 1 places in by_section */
    uint32_t *by_section;    /* symbols but STT_SECTION and STT_FILE */
    uint32_t *by_name;       /* likewise; of one name a defined one first */
    size_t name_count;
};

/* Return whether the symbol lies in a section of the object. */
static inline bool rel_symbol_placed(const struct rel_symbol *symbol)
{
    return symbol->section != REL_UNDEFINED && symbol->section < REL_ABSOLUTE;
}

/* Return the index of the symbol of that name that is not STT_SECTION or STT_FILE: a defined one before an undefined
 * one; 0: none. */
uint32_t rel_symbol_named(const struct rel_object *object, const char *name);
/* Return the index of the first section of that name; 0: none. */
uint32_t rel_section_named(const struct rel_object *object, const char *name);
/* Return the symbols of a section, without STT_SECTION. */
struct rel_symbols rel_section_symbols(const struct rel_object *object, uint32_t section);
/*
 * Return the symbol whose bytes contain `offset` of a section; a function or an object before an untyped symbol, a
 * global before a local, a larger before a smaller one. A symbol without a size reaches to the next symbol. 0: none.
 */
uint32_t rel_symbol_around(const struct rel_object *object, uint32_t section, uint64_t offset);
/* Return the relocations whose fields begin in [offset, offset + size) of a section. */
const struct rel_relocation *rel_relocations_in(const struct rel_section *section, uint64_t offset,
                                                uint64_t size, size_t *count);
/* Return the name of the symbol that is the signature of a SHT_GROUP section; `comdat`: GRP_COMDAT is set. */
const char *rel_group_signature(const struct rel_object *object, uint32_t group, bool *comdat);

/* ---- for rel_object_read.c alone ---- */

/* Make the indexes of an object that has been read. 0, or -1: no memory. */
int rel_object_index(struct rel_object *object);

#endif
