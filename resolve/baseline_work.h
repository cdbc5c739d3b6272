/*
 * baseline_work.h - the state of one comparison: for the files baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_WORK_H
#define HOTPATCH_BASELINE_WORK_H

#include <elf.h>

#include "arch/compare.h"
#include "elf/binary.h"
#include "elf/rel_object.h"
#include "resolve/baseline_result.h"

/* What a reference of equal code says of a symbol. */
enum evidence_kind {
    EVIDENCE_ADDRESS,
    EVIDENCE_CALL,
    EVIDENCE_GOT,
    EVIDENCE_TLS,
    EVIDENCE_TLS_GOT,
    EVIDENCE_TLS_PAIR,
    EVIDENCE_TLS_MODULE
};

struct evidence {
    uint32_t symbol;
    enum evidence_kind kind;
    uint64_t value;
};

/* A reference into the middle of code: it is checked when the function there has been compared. */
struct code_place {
    uint32_t section;
    uint64_t offset, address;
    uint64_t base;     /* of a jump table's entry: its distance from the table's begin, else 0 */
    uint32_t function; /* that refers to it; index in `functions` */
};

struct evidence_list {
    struct evidence *items;
    size_t count, capacity;
};

struct place_list {
    struct code_place *items;
    size_t count, capacity;
};

struct compared_function {
    struct arch_compared compared;
    bool content; /* constants differ */
    char content_reason[200];
};

/* Content that has been compared: a hash table. */
struct seen_content {
    uint32_t section; /* 0: free */
    bool equal;
    uint64_t offset, address;
};

/* Where constants without a name begin. */
struct content_bound {
    uint32_t section;
    uint64_t offset;
};

struct baseline_work {
    struct binary *binary;
    const struct rel_object *object;
    struct baseline *result;
    struct compared_function *functions; /* as result->functions */
    uint32_t *function_of;               /* by symbol: index + 1; 0: none */
    const char *file;                    /* STT_FILE */
    uint32_t group;                      /* of the file's local symbols; 0: not known */
    uint32_t *votes;                     /* by group: local symbols that references led to */
    uint64_t *verified;                  /* by symbol: the last address found to be right; */
    bool *is_verified;                   /* whether there is one */
    /* reference_check_data(), of which baseline_content.c must not know */
    const char *(*check_data)(struct baseline_work *work, const struct rel_relocation *relocation,
                              uint64_t field, uint64_t base);
    bool has_tls_base;
    int64_t tls_base;

    /* ---- of the function that is being compared ---- */
    uint32_t current, section;
    struct evidence_list evidence; /* what was there before stays where the function differs */
    struct place_list places;
    bool content;
    char content_reason[200];
    char reason[200];
    unsigned depth;

    struct seen_content *seen;
    size_t seen_count, seen_size; /* size: a power of two */
    struct content_bound *bounds; /* ascending */
    size_t bound_count;
    bool no_memory;
};

/* Add and subtract without overflow: object and binary may have any numbers. */
static inline int64_t offset_sum(int64_t a, uint64_t b)
{
    return (int64_t)((uint64_t)a + b);
}

static inline int64_t offset_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* Return whether a name is the assembler's own label. */
static inline bool is_label_name(const char *name)
{
    return name[0] == '\0' || (name[0] == '.' && name[1] == 'L');
}

#endif
