/*
 * slot.h - the registry of slots: every patch point that is known, with the layers that are applied on it.
 *
 * A slot of any kind is a set of words that switch together, an original below all layers, and a stack of layers.
 * Runs on whichever thread holds the engine lock.
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
    struct object *object; /* that holds it */
    bool protect;          /* in RELRO: its page is made writable for the store alone */
    bool writable; /* for commit.c: it is in RELRO, and its page is writable at this moment */
    bool pointer;  /* not in the GOT: data, which the program may write */
    bool lazy;     /* JUMP_SLOT: may lead to its object's PLT until ld.so binds it */
};

/* One applied replacement. */
struct layer {
    struct module *module; /* NULL: hotpatch_set() by the program itself */
    size_t replacement;    /* index in the module's replacements */
    uintptr_t function;    /* or the data's address; valid once the module is placed */
    uintptr_t *original;   /* the pointer behind HOTPATCH_ORIGINAL, or NULL */
    uintptr_t replaced;    /* what was live when it was applied */
    void *context;         /* hotpatch_set's */
    struct timespec since;
};

struct change;
struct damage;
struct replacement;
struct refusal;
struct site_problem;
struct slot;

/* What has to be done to a slot whose change is to be committed, before the commit. */
enum arm_need {
    ARM_NOTHING,
    ARM_AGAIN, /* it is armed: what another tool has written there is put right, or refused */
    ARM_SHORT, /* waits for no thread: may be left for the commit itself */
    ARM_LONG
};

/* What a word holds when a change is to be stored into it. */
enum word_state {
    WORD_EXPECTED,  /* what the engine or ld.so has stored there */
    WORD_KEPT,      /* another value, which stays there */
    WORD_HOST_OWNED /* another value: the change is refused */
};

/*
 * A kind of slot. What is NULL is nothing to do. Unless said otherwise the functions run inside objects_locked(); those
 * that return int return 0, or -1 with `why`.
 */
struct slot_ops {
    enum slot_kind kind;
    bool by_place; /* slot_at() finds it by object and definition */
    bool
        of_importers; /* it is named after the object of its first word, and dropped with its last word */

    /* The slot leaves the registry. */
    void (*dropped)(const struct slot *slot);

    /* Plan: decide how calls of a new layer are made, and write that into the replacement. */
    int (*plan)(const struct slot *slot, const struct module *module,
                struct replacement *replacement, struct refusal *why);

    /* Prepare; only kinds that write into code. claim() is prepare() of a dry run: nothing is mapped or written. After
     * either, release() gives back what only this change would have used. */
    int (*claim)(struct change *change, struct refusal *why);
    int (*prepare)(struct change *change, struct refusal *why);
    void (*release)(struct change *change);

    /* Arm, in sections of objects_locked() and the commit section; only kinds that write into code. arm_ahead() does
     * for at most ARM_AHEAD_MAX changes at once what arm() would do for each. */
    enum arm_need (*arm_need)(const struct change *change);
    void (*arm_ahead)(struct change *const *changes, size_t count);
    int (*arm)(struct change *change, uint64_t until, struct site_problem *why);
    int (*disarm)(struct change *change, uint64_t until, struct site_problem *why);

    /* Commit. The value of a word where `layers` are applied and `live` is the slot's; NULL: `live`. */
    uintptr_t (*word_value)(const struct slot *slot, const struct layer *layers, size_t count,
                            uintptr_t live, const struct word *word);
    enum word_state (*word_state)(const struct change *change, const struct word *word);
    /* Never NULL. Returns whether the slot has to be looked at again later: ld.so may overwrite the word, or calls are
     * to be recorded (`hits`). */
    bool (*store)(const struct change *change, const struct word *word, bool hits);
    /* Where the call of an injection goes on that lets it pass; NULL: to `below`. */
    uintptr_t (*passes_to)(const struct slot *slot, uintptr_t below);

    /* Report; not only inside objects_locked(). NULL: the slot is always listed, never damaged, has no members of its
     * own. */
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
    struct slot *next_at_place;  /* entries: by object and definition */
    const struct slot_ops *ops;
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
    bool hit;            /* entries: called since the last switch, as last read */
    bool no_hits;        /* entries: calls are not recorded (--no-seen) */
    uint64_t definition; /* imports, entries: the symbol's st_value in `object` */
    uintptr_t plt;       /* imports: the non-PIE program's PLT entry that is the function's address
                          * in all objects, or 0 */
    bool extended;       /* imports: words were added below a live layer and not stored yet */
    struct hotpatch_slot *declared; /* declared slots; a bare address until `object` is set */
    struct word *words;
    size_t word_count;
    uintptr_t fallback; /* what the slot holds without layers and without a provider */
    uintptr_t stub; /* declared functions: their first instructions, which jump through the word */
    uintptr_t base; /* below all layers: the fallback, a provider's stub, the definition, the
                         * relocated prologue; 0: an import that is not bound, an entry not armed yet */
    uintptr_t live; /* what the engine last stored or read */
    uint32_t version;
    struct timespec since; /* of the last switch; 0: never */
    struct layer *layers;  /* oldest first */
    size_t layer_count;
    struct slot *provider; /* REQUIRED: the slot that fills it */
    uint64_t unfilled;     /* REQUIRED: calls while it had no provider, as last read */
    size_t words_live;     /* imports: words that hold what is live, as last read */
    struct change *change; /* see slot_change() */
    uint32_t transaction;  /* to which `change` belongs */
    bool gone;             /* its object has gone meanwhile */
    /* What the shim has written of the slot in the status document; from here on no part of slot_stamp(). */
    struct reported_text text;
    uint64_t text_stamp; /* slot_stamp() then */
};

struct slot *slots_first(void);
struct slot *slots_of(enum slot_kind kind); /* the first; next_of_kind */
struct slot *slot_new(const struct slot_ops *ops, uint32_t type, const char *name,
                      const char *signature);
int slot_add_word(struct slot *slot, const struct word *word);
/* Return the next slot of a kind and name after `slot`; NULL stands before the first. NULL: there is none. */
struct slot *slot_next_named(enum slot_kind kind, const char *name, const struct slot *slot);
void slot_register(struct slot *slot); /* the registry owns it from here on */
void slot_free(struct slot *slot);
struct slot *slot_at(const struct object *object, uint64_t definition); /* an entry's, or NULL */
/* Return what the transaction under way makes of the slot, or NULL. Between slot_pin() and slot_unpin() the
 * slot is not freed when its object goes; slot_unpin() frees it then. */
struct change *slot_change(const struct slot *slot);
void slot_pin(struct slot *slot, struct change *change);
void slot_unpin(struct slot *slot);
void slots_unpin_all(void); /* in a forked child: the transaction goes on in the parent alone */
void slots_drop_words(const struct object *object); /* of imports */
void slots_drop_object(const struct object *object);
/* Drop the slots that reverted patches declare and that have no layers. */
void slots_drop_retired(void);

const char *slot_name_space(const struct slot *slot);
const char *
slot_object_name(const struct slot *slot); /* soname or base name, of a patch its file's */
/* soname or base name; a patch's: its file's. */
const char *object_name(const struct object *object);
const char *slot_object_path(const struct slot *slot);
bool slot_in_object(const struct slot *slot, const struct symbol_spec *target); /* OBJECT: */
/* Return whether switching the slot writes into its object's code. */
bool slot_writes_code(const struct slot *slot);
/* Return what the engine would have a word of the slot hold. */
uintptr_t slot_word_value(const struct slot *slot, const struct word *word);
/* Return a hash that differs whenever something that is reported of the slot has changed. */
uint64_t slot_stamp(const struct slot *slot);

#endif
