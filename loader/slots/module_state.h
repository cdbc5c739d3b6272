/*
 * module_state.h - struct module: a patch as slots, layers and transactions know it. loader/module/ makes and frees it.
 *
 * Runs on whichever thread holds the engine lock; `lent` alone is also the worker's.
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

/* What the patch replaces: an entry of its manifest, of the request, or of a hook. */
struct replacement {
    char *target;
    char *signature;    /* NULL: not known, not compared */
    uintptr_t function; /* or data; virtual address until the module is placed */
    uintptr_t original; /* of the pointer behind HOTPATCH_ORIGINAL, or 0; likewise */
    uint32_t kind;
    struct keep keep; /* of an entry slot: how it is called */
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
    char *snapshot;     /* the copy; without a leading slash where it is in memory alone */
    bool snapshot_made; /* by this process */
    char *loaded_as;    /* the name that ld.so knows */
    char *
        origin; /* the directory that stands for $ORIGIN in the copy; NULL: the file does not name it */
    char *build_id;
    char sha256[65];  /* of the file */
    struct stat file; /* of the original, when it was read */
    struct replacement *replacements;
    size_t replacement_count;
    struct module_target *targets;
    size_t target_count;
    uintptr_t hooks[4];     /* enum hook; 0: none */
    struct slot *own_slots; /* not yet registered; NULL once placed */
    char *name_space;
    struct injection *injection; /* instead of a file: no image, no handle, placed from the start */
    const struct request *asked; /* the request that loads it; good for its transaction */
    struct request_replace *replace; /* copies of what it says: module_request.c */
    size_t replace_count;
    struct request_place *places;
    size_t place_count;
    bool no_hits;
    void *bytes;           /* the file, as it will be loaded; freed after the transaction */
    bool edited;           /* `bytes` are not the file's any more; module_unique.c */
    size_t size;           /* of `bytes` */
    struct image *image;   /* over `bytes` */
    struct needed *needed; /* libraries that would come with it */
    struct doubt *doubts;  /* symbols that only ld.so can look up */
    void *handle;
    struct object *object; /* the object that it is in the process, or NULL */
    uintptr_t bias;
    bool placed;              /* addresses are the process's own */
    bool live;                /* applied and not reverted */
    bool reused;              /* its mapping is that of an earlier module; parked.h */
    struct module *unchanged; /* the live module of the same content: this one is not loaded */
    bool live_after;          /* will be live after the transaction under way */
    uint32_t lent;            /* atomic; enum module_lent */
    struct timespec since;
};

/* LENT_OUT: the worker is still at work on it, after its transaction was refused; LENT_BACK: the worker has finished. */
enum module_lent { LENT_NOT, LENT_OUT, LENT_BACK };

enum hook { HOOK_BEFORE_APPLY, HOOK_AFTER_APPLY, HOOK_BEFORE_REVERT, HOOK_AFTER_REVERT };

#endif
