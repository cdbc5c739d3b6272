/*
 * module.h - a patch: a file read, checked and, later, loaded.
 *
 * module_read() runs no code of the patch. Everything here runs on whichever thread holds the
 * engine lock, but module_dlopen() and module_dlclose(), which are the worker's.
 */
#ifndef HOTPATCH_MODULE_H
#define HOTPATCH_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/refusal.h"
#include "base/request.h"
#include "elf/slot_table.h"
#include "loader/text/keeper.h"

struct fault;
struct object;
struct slot;

struct module_entry {
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

/* The path of a fault, which has no file; NAME=RETVAL[:ERRNO] and its terms follow. */
#define MODULE_FAULT_PATH "fail="

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
    struct module_entry *entries;
    size_t entry_count;
    struct module_target *targets;
    size_t target_count;
    uintptr_t hooks[4];     /* enum hook; 0: none */
    struct slot *own_slots; /* not yet registered; NULL once placed */
    char *name_space;
    bool has_manifest;
    struct fault *fault;         /* instead of a file: no image, no handle, placed from the start */
    const struct request *asked; /* by this request; good for its transaction */
    struct request_replace *replace; /* copies of what it says: module_request.c */
    size_t replace_count;
    struct request_place *places;
    size_t place_count;
    bool unseen;
    void *bytes;           /* the file, as it will be loaded; freed after the transaction */
    bool edited;           /* `bytes` are not the file's any more; unique.c */
    size_t size;           /* of `bytes` */
    struct image *image;   /* over `bytes` */
    struct needed *needed; /* libraries that would come with it */
    struct doubt *doubts;  /* symbols of which ld.so alone knows whether it would find them */
    void *handle;
    struct object *object; /* that it is in the process, or NULL */
    uintptr_t bias;
    bool placed;              /* addresses are the process's own */
    bool live;                /* applied and not reverted */
    bool reused;              /* its mapping is that of an earlier module; parked.h */
    struct module *unchanged; /* the live module of the same content: this one is not loaded */
    bool live_after;          /* will be live after the transaction under way */
    uint32_t lent;            /* atomic; enum module_lent */
    struct timespec since;
};

/* The worker is still at work on it, after its transaction was refused; it is done. */
enum module_lent { LENT_NOT, LENT_OUT, LENT_BACK };

enum hook { HOOK_BEFORE_APPLY, HOOK_AFTER_APPLY, HOOK_BEFORE_REVERT, HOOK_AFTER_REVERT };

/*
 * Read the patch of a load request: the file is opened, judged, copied and understood.
 * NULL with `why`, which lists all that is wrong. The module is the caller's until
 * module_keep().
 */
struct module *module_read(const struct request *load, struct refusal *why);

/* The module of a fail= request, likewise. */
struct module *module_of_fault(const struct request *load, struct refusal *why);

/* module_request.c: copies, so that a reload can repeat the request. 0, or -1: no memory. */
int module_keep_request(struct module *module, const struct request *load);
bool module_same_request(const struct module *a, const struct module *b);
/* The strings are the module's. */
void module_repeat_request(const struct module *module, struct request *load);
void module_free_request(struct module *module);

/* Every undefined symbol of the patch that the process cannot supply; with those of the other
 * modules of the transaction left out. Inside objects_locked(). Adds to `why`. */
void module_check_undefined(struct module *module, struct refusal *why);

/* Asks ld.so about those of which module_check_undefined() could not say it. 0, or -1 with `why`. Not inside
 * objects_locked(). */
int modules_check_doubts(struct module *const *modules, size_t count, uint64_t deadline,
                         struct refusal *why);
void module_forget_doubts(struct module *module);

/* HOTPATCH_TARGET against the objects of the process. Adds to `why`. */
void module_check_targets(const struct module *module, struct refusal *why);

/* unique.c: make the symbols of which a process has one the module's own, in `bytes`, but for those
 * that the program has. Inside objects_locked(). 0, or -1 with `why`. */
int module_settle_unique(struct module *module, struct refusal *why);

/* Write the private copy that will be loaded. 0, or -1 with `why`. Listener. */
int module_snapshot(struct module *module, struct refusal *why);

void module_drop_snapshot(struct module *module); /* after a refusal */

/* dlopen the snapshot; on failure `error` has the linker's words. Worker. 0 or -1. */
int module_dlopen(struct module *module, char *error, size_t error_size);

/* dlclose. 0: it is gone; 1: ld.so keeps it mapped. Worker. */
int module_dlclose(struct module *module);

/* Turn the file's addresses into the process's, after module_dlopen(). 0, or -1: ld.so does not
 * list it. */
int module_place(struct module *module);

void module_forget_file(struct module *module); /* frees bytes and image */
void module_free(struct module *module);        /* never of a placed module that is mapped */

/* Free what is known of a module that is no longer applied; its code stays mapped, and is kept for
 * the next one with the same content. */
void module_retire(struct module *module);

/* Do both come from the same content, and replace the same things? */
bool module_is_same(const struct module *a, const struct module *b);
/* The file of the module that goes on unchanged is from now on the one of `again`. */
void module_go_on(struct module *again);

/* The list of modules that are loaded or are being loaded. */
struct module *module_first(void);
void module_keep(struct module *module);
void module_unlist(struct module *module);
/* Register with the list of objects (object.h): an object that ld.so knows by a module's name is the module's. */
void modules_register(void);
bool module_file_changed(const struct module *module); /* against the file at its path */

#endif
