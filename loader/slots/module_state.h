/*
 * module_state.h - struct module: the parts of a patch that slots, layers and transactions use. loader/module/ makes
 * and frees it.
 *
 * Used by the thread that holds the engine lock; the worker also uses `lent`.
 */
#ifndef HOTPATCH_MODULE_STATE_H
#define HOTPATCH_MODULE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/request.h"
#include "loader/text/keeper.h"

struct injection;
struct object;
struct slot;
struct thin_module;

/* A replacement of the patch, from its manifest, from the request, or from a hook. */
struct replacement {
    char *target;
    char *signature;    /* NULL: the signature is not known and not compared */
    uintptr_t function; /* the function or data; virtual address until the module is placed */
    /* virtual address of the pointer of HOTPATCH_ORIGINAL until the module is placed; or 0 */
    uintptr_t original;
    uint32_t kind;
    bool
        by_place; /* of a thin object: the function begins at `offset` of its target; `target` is for reports */
    uint64_t offset;  /* virtual address before load bias */
    struct keep keep; /* of an entry slot: how the replacement is called */
};

struct code_span {
    uint64_t begin, end;
};

struct module_target {
    char *object;
    char *build_id;
};

/* The path of an injection, which has no file; NAME=RETVAL[:ERRNO] and its terms follow. */
#define MODULE_INJECTION_PATH "fail="

struct module {
    struct module *next; /* in the order of loading; see module_first() */
    char *name;
    char *version;
    char *path;         /* as the request gave it */
    char *snapshot;     /* the copy; without a leading slash if it is only in memory */
    bool snapshot_made; /* this process made the copy */
    char *loaded_as;    /* the name that ld.so knows */
    /* the directory that replaces $ORIGIN in the copy; NULL: the file does not use $ORIGIN */
    char *origin;
    char *build_id;
    char sha256[65];  /* of the file */
    struct stat file; /* fstat(2) of the original file when it was read */
    struct replacement *replacements;
    size_t replacement_count;
    struct module_target *targets;
    size_t target_count;
    uintptr_t hooks[4];     /* enum hook; 0: none */
    struct slot *own_slots; /* not yet registered; NULL once placed */
    char *name_space;
    /* in place of a file: the module has no image and no handle, and is always placed */
    struct injection *injection;
    /* of a thin object: the code that was compiled together with what it replaces (before load bias of the target);
     * other callers rely on the psABI alone */
    bool callers_known;
    struct code_span *callers_in;
    size_t callers_in_count;
    struct thin_module *thin; /* the patch is a thin object; else NULL. Its bias is 0 */
    /* the request that loads the module; valid during its transaction */
    const struct request *asked;
    struct request_replace *replace; /* copies of the request's replacements: module_request.c */
    size_t replace_count;
    struct request_place *places;
    size_t place_count;
    bool no_hits;
    /* the file's bytes, as they will be loaded; freed after the transaction */
    void *bytes;
    bool edited;           /* `bytes` differ from the file; module_unique.c */
    size_t size;           /* of `bytes` */
    struct image *image;   /* reads `bytes` */
    struct needed *needed; /* the libraries that would be loaded with the patch */
    struct doubt *doubts;  /* symbols that only ld.so can look up */
    void *handle;
    struct object *object; /* the module's object in the process, or NULL */
    uintptr_t bias;
    bool placed;              /* the addresses are the process's own */
    bool live;                /* applied and not reverted */
    bool reused;              /* its mapping is the mapping of an earlier module; parked.h */
    struct module *unchanged; /* the live module of the same content; this module is not loaded */
    bool live_after;          /* the module will be live after the current transaction */
    uint32_t lent;            /* atomic; enum module_lent */
    struct timespec since;
};

/* LENT_OUT: the worker still uses the module after its transaction was refused. LENT_BACK: the worker has finished. */
enum module_lent { LENT_NOT, LENT_OUT, LENT_BACK };

enum hook { HOOK_BEFORE_APPLY, HOOK_AFTER_APPLY, HOOK_BEFORE_REVERT, HOOK_AFTER_REVERT };

#endif
