/*
 * functions_parts.h - the parts of a `struct functions`, which functions_read.c fills and functions.c searches. For
 * the files of elf/ alone.
 */
#ifndef HOTPATCH_FUNCTIONS_PARTS_H
#define HOTPATCH_FUNCTIONS_PARTS_H

#include "elf/symbol_file.h"
#include "elf/unwind_table.h"

enum { PLT_RANGES_MAX = 8, TEXT_RANGES_MAX = 16 };

/* One name of one function: 24 bytes. */
struct function_entry {
    uint64_t address;   /* first: order.h */
    uint32_t name : 30; /* offset in the strings of its table */
    uint32_t local : 1;
    uint32_t weak : 1;
    uint32_t
        extra : 30; /* local: offset of the STT_FILE; .dynsym: index of the version, else offset
                            of the version; 0: none */
    uint32_t ifunc : 1;
    uint32_t hidden : 1; /* not the default version */
    uint32_t size;       /* what the symbol says */
    uint32_t next;       /* in its chain of the name index, 0: last; else entry number + 1 */
};

struct name_index {
    uint32_t *heads; /* entry number + 1; 0: none */
    uint32_t mask;   /* heads - 1 */
};

struct code_range {
    uint64_t begin, end;
};

/* A word that ld.so fills with what a resolver returns: ARCH_RELOCATION_INDIRECT. */
struct indirect_word {
    uint64_t resolver; /* first: sorted by it */
    uint64_t where;
};

struct functions {
    const struct image *image; /* what .dynsym and the unwind table are of; NULL: a debug file */
    struct image *own_image;   /* of a file, over `region` */
    void *region;
    size_t region_size;
    struct unwind_table unwind;
    struct code_range *code; /* executable PT_LOADs */
    size_t code_count;
    struct code_range plt[PLT_RANGES_MAX];
    size_t plt_count;
    bool plt_known; /* section headers told; else the code of an FDE does */
    struct code_range text[TEXT_RANGES_MAX]; /* .text, .text.*; ascending, none overlaps another */
    size_t text_count;
    char *strings; /* .strtab; names end at their '@' */
    size_t strings_size;
    size_t entries_size;
    struct function_entry *entries; /* those of .dynsym, then those of .symtab */
    size_t dynamic_count, count;
    struct name_index dynamic_names, symtab_names;
    uint32_t *order;                /* of entries by address; NULL: not yet needed */
    struct indirect_word *indirect; /* by resolver; indirect.c reads them */
    size_t indirect_count;
    bool indirect_read;
};

/* Return the hash of a name for the name index. */
uint32_t functions_name_hash(const char *name, size_t length);
/* Return the name of the i-th entry. */
const char *functions_entry_name(const struct functions *functions, size_t i);

#endif
