/*
 * slot.h - the registry of slots: every known patch point, with the layers that are applied on it.
 *
 * A slot of any kind is a set of words that switch together, an original below all layers, and a stack of layers.
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_SLOT_H
#define HOTPATCH_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/reported.h"
#include "base/slot_names.h"
#include "elf/symbols.h"
#include "include/hotpatch.h"
#include "loader/objects/object.h"
#include "resolve/symbol_spec.h"

struct site;

struct word {
    uintptr_t *address;
    struct object *object; /* the object that holds the word */
    bool protect;          /* in RELRO: the page is made writable only for the store */
    /* for commit.c: the word is in RELRO, and its page is writable at this moment */
    bool writable;
    bool pointer; /* not in the GOT: the word is data, which the program may write */
    bool lazy;    /* JUMP_SLOT: may lead to its object's PLT until ld.so binds the word */
};

/* One applied replacement. */
struct layer {
    struct module *module; /* NULL: hotpatch_set() by the program itself */
    size_t replacement;    /* index in the module's replacements */
    /* the function, or the data's address; valid once the module is placed */
    uintptr_t function;
    uintptr_t *original; /* the address of the pointer of HOTPATCH_ORIGINAL, or NULL */
    uintptr_t replaced;  /* the live value when the layer was applied */
    void *context;       /* the context of hotpatch_set() */
    struct timespec since;
};

struct change;
struct damage;
struct replacement;
struct refusal;
struct site_problem;
struct slot;

/* What arming has to do for a change before the commit. */
enum arm_need {
    /* the entry is armed: bytes of another tool are repaired there, or the change is refused */
    ARM_NOTHING,
    ARM_AGAIN,
    ARM_SHORT, /* waits for no thread: may be left for the commit itself */
    ARM_LONG
};

/* The value that a word holds before a change is stored into it. */
enum word_state {
    WORD_EXPECTED,  /* the value that the engine or ld.so has stored */
    WORD_KEPT,      /* another value, which stays there */
    WORD_HOST_OWNED /* another value: the change is refused */
};

/*
 * The functions of a kind of slot. NULL: there is nothing to do. The functions are called inside objects_locked()
 * unless a comment says otherwise. Functions that return int return 0, or -1 with `why`.
 */
struct slot_ops {
    enum slot_kind kind;
    bool by_place; /* slot_at() finds the slot by object and definition */
    /* the slot is named after the object of its first word, and dropped with its last word */
    bool of_importers;

    /* Called when the slot leaves the registry. */
    void (*dropped)(const struct slot *slot);

    /* Plan: decide how calls of a new layer are made, and write that into the replacement. */
    int (*plan)(const struct slot *slot, const struct module *module,
                struct replacement *replacement, struct refusal *why);

    /* Prepare; only for kinds that write into code. claim() is the prepare() of a dry run: no memory is mapped or
     * written. After either, release() gives back the memory that only this change would have used. */
    int (*claim)(struct change *change, struct refusal *why);
    int (*prepare)(struct change *change, struct refusal *why);
    void (*release)(struct change *change);

    /* Arm, in sections of objects_locked() and the commit section; only for kinds that write into code. arm_ahead()
     * does the steps of arm() that can be done for many changes at once, at most ARM_AHEAD_MAX. */
    enum arm_need (*arm_need)(const struct change *change);
    void (*arm_ahead)(struct change *const *changes, size_t count);
    int (*arm)(struct change *change, uint64_t until, struct site_problem *why);
    int (*disarm)(struct change *change, uint64_t until, struct site_problem *why);

    /* Commit. Return the value of a word if `layers` are applied and `live` is the slot's value. If the member is NULL,
     * the value is `live`. */
    uintptr_t (*word_value)(const struct slot *slot, const struct layer *layers, size_t count,
                            uintptr_t live, const struct word *word);
    enum word_state (*word_state)(const struct change *change, const struct word *word);
    /* Store the word; never NULL. Return whether the word must be read again later: ld.so may overwrite the word, or
     * calls are to be recorded (`hits`). */
    bool (*store)(const struct change *change, const struct word *word, bool hits);
    /* Return the address that an injection passes its calls to. If the member is NULL, the address is `below`. */
    uintptr_t (*passes_to)(const struct slot *slot, uintptr_t below);

    /* Report; also called outside objects_locked(). If a member is NULL, the slot is always listed, is never damaged,
     * or has no members of its kind. */
    bool (*is_listed)(const struct slot *slot);
    const struct damage *(*damage)(const struct slot *slot);
    void (*report)(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                   struct reported_text *text, void *context);
};

enum { ARM_AHEAD_MAX = 128 };

struct slot {
    struct slot *next;
    struct slot *next_of_kind;
    struct slot *next_in_bucket; /* by name */
    struct slot *next_at_place;  /* entry slots: by object and definition */
    const struct slot_ops *ops;
    uint32_t type; /* enum hotpatch_kind; imports: HOTPATCH_KIND_FUNCTION */
    /* The object that declares the slot, or that defines the imported function. NULL while the declaring patch is not
     * loaded yet. */
    struct object *object;
    struct module *owner; /* the patch that declares the slot, or NULL */
    char *name;
    char *signature; /* NULL: not known (imports) */
    /* registered slots: their own namespace; else NULL: the object's namespace applies */
    char *name_space;
    char *version_name; /* imports, entries: symbol version or NULL */
    char *file;         /* entries of static functions: the source file's name, or NULL */
    /* entries: "f, g", the functions that share the code and change with it; or NULL */
    char *same_code;
    char *clones;        /* entries: "f.part.0", the clones that do not change with it; or NULL */
    struct site *site;   /* entries */
    bool hit;            /* entries: called since the last switch, by the last reading */
    bool no_hits;        /* entries: calls are not recorded (--no-seen) */
    uint64_t definition; /* imports, entries: the symbol's st_value in `object` */
    /* Imports: the non-PIE program's PLT entry that is the function's address in all objects, or 0. */
    uintptr_t plt;
    bool extended; /* imports: words were added below a live layer and not stored yet */
    struct hotpatch_slot *declared; /* declared slots; a bare address until `object` is set */
    struct word *words;
    size_t word_count;
    uintptr_t fallback; /* the value of the slot without layers and without a provider */
    /* declared functions: the address of their first instructions, which jump through the word */
    uintptr_t stub;
    /* The value below all layers: the fallback, a provider's stub, the definition, or the relocated prologue. 0: an
     * import that is not bound, or an entry that is not armed yet. */
    uintptr_t base;
    uintptr_t live; /* the value that the engine last stored or read */
    uint32_t version;
    struct timespec since; /* time of the last switch; 0: never */
    struct timespec left;  /* time of the switch from the value below all layers to the layers */
    struct layer *layers;  /* oldest first */
    size_t layer_count;
    struct slot *provider; /* REQUIRED: the slot that fills it */
    /* REQUIRED: number of calls while the slot had no provider, by the last reading */
    uint64_t unfilled;
    /* imports: number of words that hold the live value, by the last reading */
    size_t words_live;
    struct change *change; /* see slot_change() */
    uint32_t transaction;  /* the transaction that `change` belongs to */
    bool gone;             /* the slot's object was unmapped while the slot was pinned */
    /* The text that the shim has written for the slot in the status document. The members from here on are not part of
     * slot_stamp(). */
    struct reported_text text;
    uint64_t text_stamp; /* slot_stamp() when `text` was written */
};

struct slot *slots_first(void);
/* Return the first slot of a kind; next_of_kind leads to the others. */
struct slot *slots_of(enum slot_kind kind);
struct slot *slot_new(const struct slot_ops *ops, uint32_t type, const char *name,
                      const char *signature);
int slot_add_word(struct slot *slot, const struct word *word);
/* Return the next slot of a kind and name after `slot`; the first if `slot` is NULL. Return NULL if there is none. */
struct slot *slot_next_named(enum slot_kind kind, const char *name, const struct slot *slot);
void slot_register(struct slot *slot); /* the registry then owns the slot */
void slot_free(struct slot *slot);
/* Return the entry slot of a function, or NULL. */
struct slot *slot_at(const struct object *object, uint64_t definition);
/* Return the slot's change of the current transaction, or NULL. Between slot_pin() and slot_unpin() the slot is not
 * freed if its object is unmapped; slot_unpin() frees it then. */
struct change *slot_change(const struct slot *slot);
void slot_pin(struct slot *slot, struct change *change);
void slot_unpin(struct slot *slot);
void slots_unpin_all(void); /* in a forked child: the transaction continues only in the parent */
void slots_drop_words(const struct object *object); /* drop the words of imports */
void slots_drop_object(const struct object *object);
/* Drop the slots that reverted patches declare and that have no layers. */
void slots_drop_retired(void);

const char *slot_name_space(const struct slot *slot);
/* Return the soname or base name; for a patch the name of its file. */
const char *slot_object_name(const struct slot *slot);
/* Return the soname or base name; for a patch the name of its file. */
const char *object_name(const struct object *object);
const char *slot_object_path(const struct slot *slot);
/* Return whether OBJECT names the slot's object. */
bool slot_in_object(const struct slot *slot, const struct symbol_spec *target);
/* Return whether switching the slot writes into its object's code. */
bool slot_writes_code(const struct slot *slot);
/* Return the value that the engine would store into a word of the slot. */
uintptr_t slot_word_value(const struct slot *slot, const struct word *word);
/* Return a hash that differs whenever a reported fact of the slot has changed. */
uint64_t slot_stamp(const struct slot *slot);

#endif
