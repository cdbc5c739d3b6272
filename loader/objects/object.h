/*
 * object.h - the ELF objects that are loaded in this process, kept in step with ld.so.
 *
 * Runs on whichever thread holds the engine lock. An object may be unmapped by the host at any
 * time; it may be read or written only inside objects_locked(), which holds ld.so's list lock
 * (dl_iterate_phdr(3)) and has made sure that the list is the one known here.
 */
#ifndef HOTPATCH_OBJECT_H
#define HOTPATCH_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#include "elf/file_text.h"
#include "elf/image.h"

struct module;

struct object {
    struct object *next; /* in ld.so's order */
    char *path;          /* absolute; of the program: what /proc/self/exe says */
    char *base;          /* base name of `path` */
    char *soname;        /* or NULL */
    char *name_space;    /* of its slot table, or NULL */
    char *build_id;      /* hex or "" */
    char *problem;       /* why its slot table cannot be used, or NULL */
    bool is_program;
    bool is_ours; /* shim, engine, libelf and what only they brought, ld.so, vDSO */
    bool is_vdso;
    bool present;
    uintptr_t bias;
    uintptr_t begin, end; /* of its PT_LOADs */
    const ElfW(Phdr) * phdr;
    uint16_t phnum;
    uint64_t layout;       /* hash of the program headers */
    struct module *module; /* the patch that this is, or NULL */
    struct image *image;   /* mapped image; read only inside objects_locked() */
    bool slots_read;
    bool imports_read;              /* all */
    size_t names_read;              /* so many of the names that import.c wants */
    bool global;                    /* of ld.so's global scope; scope.c */
    bool pinned;                    /* ld.so will never unmap it; pin.c */
    struct functions *functions;    /* made when first asked for; object_functions.c */
    bool functions_passing;         /* made for a list, they go with it; function_list.c */
    struct object_callers *callers; /* made when first asked for; direct_callers.c */
    bool callers_failed;
    struct function_copies *copies;         /* likewise; object_functions.c */
    struct file_text file_text;             /* what is known of its file; entry_file.c */
    struct implementation *implementations; /* of indirect functions; ifunc.c */
};

/*
 * What a layer above does when objects come and go: it keeps data of its own for them. Every member may be NULL. All run on the thread
 * that holds the engine lock.
 */
struct object_callbacks {
    struct object_callbacks *next;
    void (*list_changed)(void); /* objects have come since the last refresh, or may have */
    void (*came)(struct object *object);
    /* Read what the object declares, while ld.so's list lock is held. 0; -1: no memory; 1: ld.so has listed the
     * object and not yet relocated it: call again at the next refresh. */
    int (*read)(struct object *object);
    /* Does the object's memory hold what the layer stored there? If not, the object was unmapped and mapped again. */
    bool (*unchanged)(const struct object *object);
    void (*stayed)(
        struct object *object); /* it is still there; or another one of the same build is */
    /* The object is unmapped, and is freed after. ld.so's list lock is held. */
    void (*gone)(struct object *object);
    int (*section)(void); /* objects_locked() is about to call its body. 0, or -1: no memory */
};

/* Register a layer; its callbacks stay valid. Before the first refresh. */
void objects_register(struct object_callbacks *callbacks);
/* Tell the program's path, which stays valid. Before the first refresh. */
void objects_name_program(const char *path);

/*
 * Bring the list up to date: new objects are added and their declared slots registered,
 * slots of objects that are gone are dropped. Cheap when ld.so's counters have not moved.
 * 0, or -1: no memory.
 */
int objects_refresh(void);

/*
 * Run `body` while no object can be loaded or unmapped; refreshes as often as needed first.
 * Returns what `body` returned. `body` allocates sparingly and never waits.
 */
int objects_locked(int (*body)(void *context), void *context);

/* Did the list change since the last call? */
bool objects_changed_since_scope(void);

/* Take the object of a module that is not applied any more out of the list, and put it back. Its mapped
 * image is closed meanwhile. */
void object_retire(struct object *object);
void object_restore(struct object *object);

/* All but the retired ones. */
struct object *objects_first(void);
struct object *object_program(void);
struct object *object_at(uintptr_t address); /* NULL: none */

#endif
