/*
 * thin_link_parts.h - the parts of a link. For the files elf/thin_*.c alone.
 */
#ifndef HOTPATCH_THIN_LINK_PARTS_H
#define HOTPATCH_THIN_LINK_PARTS_H

#include <elf.h>

#include "elf/rel_object.h"
#include "elf/thin_file.h"
#include "elf/thin_host.h"

enum { THIN_PAGE = 4096, THIN_PHDRS = 6 };

/* The sections of the shared object; each is the input sections of one kind. */
enum thin_part {
    PART_NONE, /* not written */
    PART_HASH,
    PART_DYNSYM,
    PART_DYNSTR,
    PART_VERSYM,
    PART_VERNEED,
    PART_RELA,
    PART_FRAME_TABLE, /* .eh_frame_hdr */
    PART_FRAMES,      /* .eh_frame */
    PART_RODATA,
    PART_TEXT,
    PART_STUBS,
    PART_DYNAMIC,
    PART_GOT,
    PART_DATA,
    PART_BSS,
    PART_LOADED, /* the parts below are in memory */
    PART_SYMTAB = PART_LOADED,
    PART_STRTAB,
    PART_NAMES, /* .shstrtab */
    PART_COUNT
};

struct thin_range {
    uint64_t at; /* from the first byte of the link; in memory and in the file */
    uint64_t size, align;
};

/* Where an input section is. */
struct thin_place {
    enum thin_part part; /* PART_NONE: not placed, or a debug section */
    bool kept;           /* it is in the process already, at the address `at` */
    bool debug;          /* `at` counts from the first byte of all debug sections of its name */
    uint32_t output;     /* a debug section's index in link->debug */
    uint64_t at;         /* from the first byte of the link */
};

/* Words and stubs of a symbol; 0: none; else the index in the GOT, plus 1, and so on. */
struct thin_words {
    uint32_t got, tls_got, tls_pair, stub, dynsym;
};

/* A relocation that ld.so applies. */
struct thin_rela {
    uint32_t section;      /* of the field; 0: the GOT */
    uint64_t offset;       /* in it */
    uint32_t type, symbol; /* symbol of the thin object */
    int64_t addend;
};

struct thin_need {
    uint32_t name; /* in .dynstr; the strings that the host gave live no longer than its call */
    struct thin_need_version {
        uint32_t name, number;
        struct thin_need_version *next;
    } * versions;
    size_t version_count;
    struct thin_need *next;
};

struct thin_dynsym {
    uint32_t symbol; /* of the thin object */
    uint32_t name;   /* in .dynstr */
    uint16_t version;
    bool weak;
};

/* A frame description that is written, or a common information entry. */
struct thin_record {
    uint32_t section;
    bool is_cie, written;
    uint64_t from, size; /* in the input section, with the length */
    uint64_t to;         /* in the output */
    uint64_t cie;        /* of an FDE: index of its CIE in the records */
    uint32_t code;       /* of an FDE: the section of its function, and the offset there */
    uint64_t code_offset;
};

struct thin_debug {
    const char *name;
    uint64_t size, align, at;
};

struct thin_link {
    const struct thin_file *thin;
    const struct rel_object *object;
    struct thin_host host;
    struct elf_error *error; /* during a call */

    struct thin_place *places; /* by section */
    struct thin_words *words;  /* by symbol */
    struct thin_range parts[PART_COUNT];
    uint64_t read_end, code_end, data_end; /* of the three segments, in memory */
    uint64_t file_loaded;                  /* of the last, in the file */
    uint64_t memory_size;                  /* whole pages */
    uint64_t file_size;

    uint32_t got_count;  /* words */
    uint32_t tls_module; /* index in the GOT plus 1 of the pair for local-dynamic; 0: none */
    uint32_t *stubs;     /* the symbols of stubs */
    size_t stub_count;
    struct thin_dynsym *dynsyms; /* [0] is empty */
    size_t dynsym_count;
    char *dynstr;
    size_t dynstr_size;
    struct thin_need *needs, **needs_end;
    size_t need_count; /* with versions */
    uint32_t version_count;
    struct thin_rela *rela;
    size_t rela_count, rela_room;
    bool static_tls;               /* ld.so writes an offset from the thread pointer */
    bool low;                      /* absolute addresses of 32 bits */
    uint64_t hull_begin, hull_end; /* the addresses that must be within reach */

    struct thin_record *records;
    size_t record_count, fde_count;
    struct thin_debug *debug;
    size_t debug_count;
    uint64_t *branches;
    size_t branch_count;
    size_t strtab_size;
    size_t symtab_count;

    uint64_t base; /* during thin_link_at() */
    uint8_t *bytes;
};

static inline uint64_t thin_round_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

/* Return the name of a symbol in a refusal: its name, or its section's. */
static inline const char *thin_name_of(const struct thin_link *link, uint32_t symbol)
{
    const struct rel_symbol *s = &link->object->symbols[symbol];

    return *s->name ? s->name : "a symbol without a name";
}

#endif
