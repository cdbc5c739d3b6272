/*
 * slot.h - the registry: every patch point that is known, and what is applied on it.
 *
 * Whatever kind a slot is of, from here on it is a set of words that switch together, an
 * original below all layers, and a stack of layers. Runs on whichever thread holds the
 * engine lock.
 */
#ifndef HOTPATCH_SLOT_H
#define HOTPATCH_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "elf/symbols.h"
#include "include/hotpatch.h"
#include "loader/objects/object.h"
#include "resolve/symbol_spec.h"

enum slot_kind { SLOT_DECLARED, SLOT_IMPORT, SLOT_ENTRY };

struct site;

struct word {
    uintptr_t *address;
    struct object *object; /* that holds it */
    bool protect;          /* in RELRO: its page is made writable for the store alone */
    bool writable;         /* for commit.c: it is in RELRO, and the program may write it now */
    bool pointer;          /* not in the GOT: data that the program may have changed itself */
    bool lazy;             /* JUMP_SLOT: may lead to its object's PLT until ld.so binds it */
};

/* One applied replacement. */
struct layer {
    struct module *module; /* NULL: hotpatch_set() by the program itself */
    size_t entry;          /* index in the module's entries */
    uintptr_t function;    /* or the data's address; valid once the module is placed */
    uintptr_t *original;   /* the pointer behind HOTPATCH_ORIGINAL, or NULL */
    uintptr_t replaced;    /* what was live when it was applied */
    void *context;         /* hotpatch_set's */
    struct timespec since;
};

struct change;

struct slot {
    struct slot *next;
    struct slot *next_of_kind;
    struct slot *next_in_bucket; /* by name */
    struct slot *next_at_place;  /* entries: by object and definition */
    enum slot_kind kind;
    uint32_t type;         /* enum hotpatch_kind; imports: HOTPATCH_KIND_FUNCTION */
    struct object *object; /* that declares it, or defines what is imported; NULL while the patch
                            * that declares it is not loaded yet */
    struct module *owner;  /* the patch that declares it, or NULL */
    char *name;
    char *signature;     /* NULL: not known (imports) */
    char *name_space;    /* registered slots: their own; else NULL: the object's */
    char *version_name;  /* imports, entries: symbol version or NULL */
    char *file;          /* entries of static functions: the source file's name, or NULL */
    char *same_code;     /* entries: "f, g", the functions that change with it, or NULL */
    char *clones;        /* entries: "f.part.0", which do not, or NULL */
    struct site *site;   /* entries */
    bool entered;        /* entries: called since the last switch, as last read */
    bool unseen;         /* entries: which is not noted */
    uint64_t definition; /* imports, entries: the symbol's st_value in `object` */
    uintptr_t plt;       /* imports: the non-PIE program's PLT entry that is the function's address
                          * to everybody, or 0 */
    bool extended;       /* imports: words were added below a live layer and not stored yet */
    struct hotpatch_slot *declared; /* declared slots; a bare address until `object` is set */
    struct word *words;
    size_t word_count;
    uintptr_t fallback; /* what the slot holds when nothing is applied and nobody provides */
    uintptr_t entry;    /* declared functions: the stub */
    uintptr_t base;     /* below all layers: the fallback, a provider's stub, the definition, the
                         * moved prologue; 0: an import that is not bound, an entry not armed yet */
    uintptr_t live;     /* what the engine last stored or read */
    uint32_t version;
    struct timespec since; /* of the last switch; 0: never */
    struct layer *layers;  /* oldest first */
    size_t layer_count;
    struct slot *provider; /* REQUIRED: who fills it */
    uint64_t unfilled;     /* REQUIRED: calls that met nobody, as last read */
    size_t words_live;     /* imports: words that hold what is live, as last read */
    struct change *change; /* see slot_change() */
    uint32_t transaction;  /* to which `change` belongs */
    bool gone;             /* its object has gone meanwhile */
    /* What status last said of it; from here on no part of what is said. */
    char *told;
    size_t told_length;
    uint64_t told_of; /* slot_stamp() then */
};

struct slot *slots_first(void);
struct slot *slots_of(enum slot_kind kind); /* the first; next_of_kind */
struct slot *slot_new(enum slot_kind kind, uint32_t type, const char *name, const char *signature);
int slot_add_word(struct slot *slot, const struct word *word);
struct slot *slots_named(const char *name); /* a bucket: has others too; next_in_bucket */
void slot_register(struct slot *slot);      /* the registry owns it from here on */
void slot_free(struct slot *slot);
struct slot *slot_at(const struct object *object, uint64_t definition); /* an entry's, or NULL */
/* What the transaction under way makes of the slot, or NULL. Between slot_pin() and slot_unpin() the
 * slot is not freed when its object goes; slot_unpin() frees it then. */
struct change *slot_change(const struct slot *slot);
void slot_pin(struct slot *slot, struct change *change);
void slot_unpin(struct slot *slot);
void slots_unpin_all(void); /* in the child: the parent's transaction is the parent's */
void slots_drop_words(const struct object *object); /* of imports */
void slots_drop_object(const struct object *object);
/* Slots that patches which are live no longer declared, and on which nothing is applied. */
void slots_drop_retired(void);

const char *slot_kind_name(enum slot_kind kind);
const char *slot_type_name(uint32_t type);
const char *slot_name_space(const struct slot *slot);
const char *
slot_object_name(const struct slot *slot); /* soname or base name, of a patch its file's */
/* soname or base name; a patch's: its file's. */
const char *object_name(const struct object *object);
const char *slot_object_path(const struct slot *slot);
bool slot_in_object(const struct slot *slot, const struct symbol_spec *target); /* OBJECT: */
bool slot_is_data(const struct slot *slot);
/* Another number whenever something of the slot that status tells has changed. */
uint64_t slot_stamp(const struct slot *slot);
struct slot *slot_of_declared(const struct hotpatch_slot *declared); /* NULL: none */

/* declared.c: register the slots of a table in a mapped image. 0; -1: no memory; 1: ld.so has
 * listed the object and not yet relocated it. Holding ld.so's list lock. */
int declared_read(struct object *object);
/* declared.c: make unregistered slots of a patch's file; addresses without load bias. */
struct image;
int declared_from_file(const struct image *image, struct module *owner, struct slot **list,
                       char **name_space, struct elf_error *fault);
/* declared.c: give such a slot its place in the process. */
void declared_place(struct slot *slot, struct object *object);
/* declared.c: slots made by hotpatch_register() since the last call. */
struct registered_slot;
int declared_adopt_registered(struct registered_slot *list);

/*
 * import.c: the words of all objects that hold functions of others, or that others could
 * interpose: of one name, or all. objects_locked() then reads those of new objects too. Inside
 * objects_locked(). 0, or -1: no memory.
 */
int imports_read_named(const char *name);
int imports_read_all(void);
int imports_read_new(void);                  /* of objects that came since */
void imports_recheck(struct object *object); /* it may have been opened anew where it lay */
void imports_expect_new(void);               /* the list of objects has changed */
/* Does some object import it that is no patch, and not the definer with its own calls alone? */
bool import_is_used(const struct slot *slot);
/* What objects import and nobody can patch, with the reason. Inside objects_locked(). */
typedef void import_refused_fn(const struct object *importer, const struct image_symbol *symbol,
                               const char *why, void *context);
void imports_unpatchable(import_refused_fn *each, void *context);
/* `value` leads on to the definition through a PLT, the importer's own or the program's. Inside
 * objects_locked(). */
bool import_is_unbound(const struct slot *slot, const struct word *word, uintptr_t value);
/* The definition is in OBJECT. */
bool import_is_defined_in(const struct slot *slot, const struct symbol_spec *target);
/* OBJECT is an importer. */
bool import_is_used_in(const struct slot *slot, const struct symbol_spec *target);

#endif
