/*
 * hotpatch.h - declare functions and data that a running program can exchange,
 * and write the patches that exchange them.
 *
 * The one public header of hotpatch.  C11 and C++17, gcc and clang, x86-64.
 * No library is linked: a program that includes it runs unchanged without
 * libhotpatch_preload.so, and can be patched when that is preloaded.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOTPATCH_H
#define HOTPATCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ ABI --- */

#define HOTPATCH_ABI_VERSION 1u

/* "HPSLOTS1" and "HPMODUL1", read as little-endian words. */
#define HOTPATCH_SLOT_TABLE_MAGIC UINT64_C(0x3153544f4c535048)
#define HOTPATCH_MODULE_MAGIC UINT64_C(0x314c55444f4d5048)

/* Any function; cast before calling. */
typedef void (*hotpatch_function)(void);

/* The untyped ABI of hotpatch-rs. */
typedef int32_t (*hotpatch_untyped_function)(void *state, const void *input, void *output);

enum hotpatch_kind {
    HOTPATCH_KIND_FUNCTION = 1, /* typed function with a fallback */
    HOTPATCH_KIND_DATA = 2,     /* storage, read through HOTPATCH_GET */
    HOTPATCH_KIND_REQUIRED = 3, /* function that some module must provide */
    HOTPATCH_KIND_UNTYPED = 4   /* hotpatch_untyped_function, found by name */
};

/*
 * One patch point.  64 bytes, so that an array of them has no holes whatever
 * alignment a compiler prefers.  `target` is the word that calls go through;
 * only the engine writes it, with one atomic store.
 */
struct hotpatch_slot {
    const char *name;
    const char *signature;      /* "int (struct counter *c, int n)"; data: its type */
    hotpatch_function target;   /* what is live */
    hotpatch_function fallback; /* what the author wrote; REQUIRED: the zero-returning body */
    hotpatch_function entry;    /* the stub that callers reach; NULL: data and untyped */
    uint32_t kind;              /* enum hotpatch_kind */
    uint32_t version;           /* rises when `target` really changed */
    void *context;              /* given to hotpatch_set, else NULL */
    uint64_t unfilled;          /* calls that met a required slot without a provider */
} __attribute__((aligned(64)));

/* The same for a data slot: data and function pointers do not convert in ISO C. */
struct hotpatch_data_slot {
    const char *name;
    const char *signature;
    const void *target;
    const void *fallback;
    hotpatch_function entry;
    uint32_t kind;
    uint32_t version;
    void *context;
    uint64_t unfilled;
} __attribute__((aligned(64)));

/* Exported by every object that declares slots as `hotpatch_slot_table_v1`. */
struct hotpatch_slot_table {
    uint64_t magic;      /* HOTPATCH_SLOT_TABLE_MAGIC */
    uint32_t version;    /* HOTPATCH_ABI_VERSION */
    uint32_t entry_size; /* sizeof(struct hotpatch_slot) */
    struct hotpatch_slot *begin;
    struct hotpatch_slot *end;
    const char *name_space; /* NULL: the object's base name */
    const void *reserved;
};

/* One replacement in a patch. */
struct hotpatch_entry {
    const char *target;         /* "[OBJECT:]NAME[@FILE.c]" */
    const char *signature;
    hotpatch_function function; /* data: NULL */
    const void *data;           /* function: NULL */
    void *original;             /* the pointer behind HOTPATCH_ORIGINAL, or NULL */
    uint32_t kind;              /* FUNCTION, DATA or UNTYPED */
    uint32_t flags;             /* 0 */
    const void *reserved[2];
} __attribute__((aligned(64)));

/* HOTPATCH_TARGET: the patch fits one build of one object. */
struct hotpatch_target_record {
    const char *object;   /* soname, base name, namespace or "exe" */
    const char *build_id; /* hex digits */
} __attribute__((aligned(16)));

struct hotpatch_context; /* the engine's; passed to hooks */

typedef int (*hotpatch_hook)(struct hotpatch_context *);

/* Exported by every patch as `HOTPATCH_MODULE_V1`. */
struct hotpatch_module {
    uint64_t magic;       /* HOTPATCH_MODULE_MAGIC */
    uint32_t abi_version; /* HOTPATCH_ABI_VERSION */
    uint32_t size;        /* sizeof(struct hotpatch_module) */
    uint32_t entry_size;  /* sizeof(struct hotpatch_entry) */
    uint32_t target_size; /* sizeof(struct hotpatch_target_record) */
    const char *name;
    const char *version;
    struct hotpatch_entry *entries_begin; /* all four NULL where there are none */
    struct hotpatch_entry *entries_end;
    struct hotpatch_target_record *targets_begin;
    struct hotpatch_target_record *targets_end;
    hotpatch_hook before_apply; /* non-zero return: refuse; NULL: no hook */
    hotpatch_hook after_apply;
    hotpatch_hook before_revert; /* non-zero return: refuse */
    hotpatch_hook after_revert;
};

/* What a hook sees of one slot concerned. */
struct hotpatch_change {
    const char *target;         /* as the manifest spells it */
    const char *object;         /* base name of the object that holds the slot */
    const char *kind;           /* "declared", "import" or "entry" */
    hotpatch_function before;   /* live until this transaction's commit */
    hotpatch_function after;    /* live from it on */
};

/*
 * Handed to a hook, valid until it returns.  The function pointers are the
 * engine's; a patch calls them through the inline wrappers below and so links
 * against nothing.
 */
struct hotpatch_context {
    uint32_t size; /* of this struct as the engine knows it */
    uint32_t change_count;
    const char *module;
    const struct hotpatch_change *changes;
    int (*replace)(struct hotpatch_context *, const char *target, const char *signature,
                   hotpatch_function function, void *original);
    void *engine;
};

#ifdef __cplusplus
}
#endif

#endif /* HOTPATCH_H */
