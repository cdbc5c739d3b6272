/*
 * object.h - the list of the ELF objects that are loaded in this process, kept equal to ld.so's list.
 *
 * Called by the thread that holds the engine lock. The host may unmap an object at any time. So an object may be read
 * or written only inside objects_locked(), which holds ld.so's list lock (dl_iterate_phdr(3)) and has compared this
 * list with ld.so's.
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
    char *path;          /* absolute; for the program: the target of /proc/self/exe */
    char *base;          /* base name of `path` */
    char *soname;        /* or NULL */
    char *name_space;    /* the namespace of its slot table, or NULL */
    char *build_id;      /* hex or "" */
    char *problem;       /* why its slot table cannot be used, or NULL */
    bool is_program;
    /* shim, engine, libelf and the libraries that came only with them, ld.so, vDSO */
    bool is_ours;
    bool is_vdso;
    bool present;
    uintptr_t bias;
    uintptr_t begin, end; /* the range of its PT_LOADs */
    const ElfW(Phdr) * phdr;
    uint16_t phnum;
    uint64_t layout;       /* hash of the program headers */
    struct module *module; /* the patch that this object belongs to, or NULL */
    struct image *image;   /* mapped image; read only inside objects_locked() */
    bool slots_read;
    bool imports_read;           /* all imports are read */
    size_t names_read;           /* the number of names of import.c's list that are read */
    bool global;                 /* the object is in ld.so's global scope; scope.c */
    bool pinned;                 /* ld.so will never unmap it; pin.c */
    struct functions *functions; /* made at the first question; object_functions.c */
    /* the index was made for a list and is freed after it; function_list.c */
    bool functions_passing;
    struct object_callers *callers; /* made at the first question; direct_callers.c */
    bool callers_failed;
    struct function_copies *copies;         /* made at the first question; object_functions.c */
    struct file_text file_text;             /* the object's file, if it was read; entry_file.c */
    struct implementation *implementations; /* of indirect functions; ifunc.c */
};

/*
 * The callbacks of a layer above, which keeps its own data for objects. Every member may be NULL. All callbacks run on
 * the thread that holds the engine lock.
 */
struct object_callbacks {
    struct object_callbacks *next;
    void (*list_changed)(void); /* objects have come since the last refresh, or may have come */
    void (*came)(struct object *object);
    /* Read what the object declares, with ld.so's list lock held. Return 0; -1 if there is no memory; 1 if ld.so has
     * listed the object and not yet relocated it: the next refresh calls again. */
    int (*read)(struct object *object);
    /* Return whether the object's memory holds the values that the layer stored there. If not, the object was
     * unmapped and mapped again. */
    bool (*unchanged)(const struct object *object);
    /* The object is still mapped, or an object of the same build is mapped in its place. */
    void (*stayed)(struct object *object);
    /* The object is unmapped, and is freed after this call. ld.so's list lock is held. */
    void (*gone)(struct object *object);
    /* objects_locked() is about to call its body. Return 0, or -1: no memory */
    int (*section)(void);
};

/* Register a layer. Its callbacks stay valid. Called before the first refresh. */
void objects_register(struct object_callbacks *callbacks);
/* Set the program's path, which stays valid. Called before the first refresh. */
void objects_name_program(const char *path);

/*
 * Make the list equal to ld.so's list. New objects are added and their declared slots are registered. Slots of objects
 * that are gone are dropped. If ld.so's counters have not changed, no object is examined. Return 0, or -1 if there is
 * no memory.
 */
int objects_refresh(void);

/*
 * Run `body` while no object can be loaded or unmapped. The list is refreshed before, as often as needed. Return what
 * `body` returned. `body` allocates little and never waits.
 */
int objects_locked(int (*body)(void *context), void *context);

/* Return whether the list has changed since the last call. */
bool objects_changed_since_scope(void);

/* Take the object of a module that is no longer applied out of the list, or put it back. Its mapped image is closed
 * while it is out of the list. */
void object_retire(struct object *object);
void object_restore(struct object *object);

/* Return the first object of the list, without the retired objects. */
struct object *objects_first(void);
struct object *object_program(void);
struct object *object_at(uintptr_t address); /* NULL: none */

#endif
