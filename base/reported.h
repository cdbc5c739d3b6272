/*
 * reported.h - the engine's reports to the shim: results, slots, functions and modules as plain structs. The shim
 * writes JSON from them (preload/reply_json.c); libhotpatch_preload(7) describes the members.
 *
 * A struct, its strings and the results of its functions are valid until the callback that was given the struct
 * returns. Callbacks run on the thread that called the engine and that holds the engine lock. The callbacks of a list
 * may also run while that thread holds ld.so's list lock: they allocate memory, but they do not wait and do not call
 * the engine.
 */
#ifndef HOTPATCH_REPORTED_H
#define HOTPATCH_REPORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/refusal.h"

/* A list of strings: `each` calls `put` with every one of them. */
typedef void reported_name_fn(void *context, const char *name);
struct reported_names {
    void (*each)(const void *of, reported_name_fn *put, void *context);
    const void *of;
};

/* ---- slots ---- */

struct reported_layer {
    const char *module; /* its name; "(program)": hotpatch_set() */
    const char *version, *build_id, *sha256, *path;
    struct timespec since;
    uint64_t old, new;       /* addresses */
    const uint64_t *strikes; /* of an injection; NULL: of a patch */
    bool live;
};
typedef void reported_layer_fn(void *context, const struct reported_layer *layer);

/* The members of an import slot alone. */
struct reported_import {
    const char *definition; /* the object that defines the function */
    struct reported_names importers;
    uint64_t words_live; /* words that hold the live address */
};

/* Bytes that another tool has written over an armed entry. */
struct reported_damage {
    const char *object;
    uint64_t offset, address;
    const char *expected, *found; /* bytes, in hex */
    const char *by, *text;
};

/* The members of an entry slot alone. */
struct reported_entry {
    const char *same_code, *clones; /* NULL: none */
    uint64_t offset;
    const char *file; /* source file of a static function, or NULL */
    bool armed;
    const char *technique;
    const char *stub; /* NULL: no layer */
    struct reported_names keeps;
    const struct reported_damage *damage; /* NULL: none */
    bool uprobe_safe;                     /* known only for an armed entry */
    bool no_hits;                         /* calls are not recorded: `hit` is not known */
    bool hit;
};

struct reported_slot {
    const char *name, *kind, *type;
    const char *object, *object_path, *name_space;
    const char *signature, *symbol_version; /* NULL: none is known */
    uint32_t version;
    uint64_t fallback, live;            /* addresses */
    const char *live_module, *provider; /* NULL: none */
    struct timespec since;              /* 0: never switched */
    uint64_t words, unfilled;
    const struct reported_import *import; /* NULL: of another kind */
    const struct reported_entry *entry;   /* NULL: of another kind */
    void (*each_layer)(const void *of, reported_layer_fn *put, void *context); /* oldest first */
    const void *of;
};

/* Text that the shim has written for a slot. It lies in the engine's slot; the engine frees `text` with the slot. */
struct reported_text {
    char *text; /* malloc'd, or NULL */
    size_t length;
};

/*
 * Write `slot` if `text` is NULL. Otherwise keep the written text in `text`, or leave it empty if memory is short.
 * `slot` NULL: the slot has not changed since `text` was written.
 */
typedef void reported_slot_fn(void *context, const struct reported_slot *slot,
                              struct reported_text *text);

/* An import that cannot be switched. */
struct reported_refused_import {
    const char *name, *kind, *type;
    const char *importer, *importer_path;
    const char *symbol_version;
    const char *why;
};
typedef void reported_refused_import_fn(void *context,
                                        const struct reported_refused_import *import);

/* A function that is no slot yet. */
struct reported_function {
    const char *name, *kind, *type;
    const char *object, *object_path;
    const char *file, *symbol_version;
    uint64_t offset, size;
    const char *technique; /* NULL: its entry cannot be patched */
    bool patchable;
    const char *why;                /* NULL: nothing to say */
    const char *same_code, *clones; /* "": none */
};
typedef void reported_function_fn(void *context, const struct reported_function *function);

typedef void reported_written_fn(void *context, uint64_t offset, size_t size);

struct reported_rows {
    void *context;
    reported_slot_fn *slot;
    reported_refused_import_fn *refused_import;
    reported_function_fn *function;
};

/* The list for the request `slots`. */
struct reported_list {
    /* Make the list. Return 0, or -1 with `why`: the list is incomplete. */
    int (*each)(void *of, const struct reported_rows *rows, struct refusal *why);
    /* The bytes of the program's code that were written; NULL: not asked for. Call after each(). */
    void (*each_written)(reported_written_fn *put, void *context);
    void *of;
};

/* ---- modules ---- */

struct reported_module {
    const char *name, *version, *path, *sha256, *build_id;
    const char *fault;       /* the terms of an injection; NULL: a patch */
    uint64_t calls, strikes; /* of an injection */
    struct timespec since;
    const char *snapshot;
    bool live, reused;
    bool unchanged; /* not loaded: the live module has the same content */
};
typedef void reported_module_fn(void *context, const struct reported_module *module);

/* ---- results ---- */

struct reported_change {
    const char *name, *object, *kind;
    uint64_t old, new;  /* addresses */
    const char *module; /* NULL: the slot has no layer any more */
};
typedef void reported_change_fn(void *context, const struct reported_change *change);

/* The effect of a transaction, or, of a dry run, its effect if it were run. */
struct reported_transaction {
    bool dry_run;
    bool unchanged;     /* no module was loaded or reverted, as all are live already */
    uint64_t committed; /* slots that were switched */
    void (*each_module)(const void *of, reported_module_fn *put, void *context);
    void (*each_change)(const void *of, reported_change_fn *put, void *context);
    const void *of;
};

/* The result of a request. */
struct reported_result {
    const struct refusal *why; /* empty: done */
    uint64_t microseconds;
    struct reported_names warnings;
    const struct reported_transaction *transaction; /* or NULL */
    const struct reported_list *list;               /* or NULL; with it `why` is empty */
    const struct reported_names *repaired;          /* slots, by a reload; else NULL */
    bool status_stale;                              /* the status file must be written again */
};
typedef void reported_result_fn(void *context, const struct reported_result *result);

/* A call that began before a switch and has not returned. */
struct reported_old_call {
    const char *slot, *object; /* `slot`: the function's name, where it has no slot */
    const char *module;        /* the patch that made the code old; or NULL */
    bool entry;                /* false: it has no slot; old code alone calls it */
    struct timespec since;     /* the switch */
    uint64_t tid;
    const char *thread; /* its name */
};
typedef void reported_old_call_fn(void *context, const struct reported_old_call *call);

/* The slots and modules of the status document. Valid until the engine lock is released. */
struct reported_status {
    uint64_t damaged;                                        /* entries */
    void (*each_slot)(reported_slot_fn *put, void *context); /* those with layers, oldest first */
    void (*each_module)(reported_module_fn *put, void *context);
    /* This looks at all threads: for the reply to a request, not for the file. */
    void (*each_old_call)(reported_old_call_fn *put, void *context);
    /* Call after each_old_call(): threads that could not be looked at, because they ran; `slot` is NULL. */
    void (*each_running)(reported_old_call_fn *put, void *context);
};

#endif
