/*
 * transaction.h - several loads and reverts that happen together or not at all.
 *
 * plan.c finds out what would change and what is wrong with it, find.c which slots are meant,
 * transaction.c leads the steps of design.md, section 6, hooks.c runs the patches' hooks, commit.c
 * stores. Runs on whichever thread holds the engine lock; what is the worker's is handed to it.
 */
#ifndef HOTPATCH_TRANSACTION_H
#define HOTPATCH_TRANSACTION_H

#include "base/refusal.h"
#include "loader/module/module.h"
#include "loader/slots/slot.h"

/* What one slot will be. */
struct change {
    struct change *next;
    struct slot *slot;
    struct layer *layers; /* after the commit: the old ones */
    size_t layer_count;
    struct slot *provider;
    bool armed;              /* an entry, by this transaction */
    uintptr_t before, after; /* live values, known from change_settle() on */
};

struct transaction {
    const struct request *requests;
    size_t request_count;
    struct refusal *why;
    struct change *changes, **last_change;
    struct module **loads; /* read, and, when the commit is done, live */
    size_t load_count;
    struct module **unchanged; /* read, and not loaded: what is live has their content */
    size_t unchanged_count;
    struct module **reverts; /* live until the commit */
    size_t revert_count;
    struct pin *pins; /* held for the entries; pin.c */
    size_t pin_count;
    bool loaded; /* the modules are in the process */
    bool committed;
    bool dry_run;
    bool unseen; /* do not note whether functions are entered after the switch */
    enum request_when when;
    uint32_t timeout;
    uint64_t deadline; /* CLOCK_MONOTONIC ms; never 0 */
    char *warnings[8];
    size_t warning_count;
};

/* All steps. 0: done (or dry run), -1: refused, `why` has at least one item. */
int transaction_run(struct transaction *transaction);
void transaction_free(struct transaction *transaction);
void transaction_warn(struct transaction *transaction, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* plan.c */
int plan_read_files(struct transaction *transaction);
int plan_make(struct transaction *transaction); /* inside objects_locked() */
int plan_settle_unchanged(struct transaction *transaction);
void plan_extensions(struct transaction *transaction);
/* One more replacement, found by a hook: adds the entry to the module. Not inside objects_locked(). */
int plan_add(struct transaction *transaction, struct module *module, const char *target,
             const char *signature, uintptr_t function, uintptr_t *original);
struct change *change_for(struct transaction *transaction, struct slot *slot);
void changes_forget(struct transaction *transaction);

/* loading.c: dlopen the modules on the worker, or those that are mapped already as they are. 0, or -1 with `why`:
 * they are closed again. */
int modules_load(struct transaction *transaction);
void modules_unload(struct transaction *transaction); /* the way back, after modules_load() */
void modules_retire_returned(void); /* those that the worker was late with, and has closed now */
bool module_is_in_process(
    const struct module *module); /* a fault has no file, a reused mapping stays */

/* commit.c */
void change_settle(struct change *change);          /* fills functions, before, after */
uintptr_t change_base(const struct change *change); /* what lies below all its layers */
int commit(struct transaction *transaction);

/* reuse.c: give modules to load the mappings of reverted ones with the same content. */
void reuse_mappings(struct transaction *transaction);

/* What the engine would have the word hold. */
uintptr_t commit_value_of(const struct slot *slot, const struct word *word);
bool commit_take_look_again(void); /* has a commit since left something to be looked at again? */
void commit_verify_imports(void);  /* put back what a resolver has overwritten */

/* hooks.c: 0, or -1 with `why`. */
int hooks_before(struct transaction *transaction);
void hooks_after(struct transaction *transaction);

#endif
