/*
 * state.h - a transaction: several loads and reverts that take effect together or not at all, and the changes of slots
 * that they cause.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_LOADER_TRANSACTION_STATE_H
#define HOTPATCH_LOADER_TRANSACTION_STATE_H

#include "base/refusal.h"
#include "base/request.h"
#include "loader/module/module.h"
#include "loader/slots/change.h"

struct transaction {
    const struct request *requests;
    size_t request_count;
    struct refusal *why;
    struct change *changes, **last_change;
    struct module **loads; /* read; live after the commit */
    size_t load_count;
    struct module **unchanged; /* read and not loaded: a live module has the same content */
    size_t unchanged_count;
    struct module **reverts; /* live until the commit */
    size_t revert_count;
    struct pin *pins; /* the pins of the entries' objects; pin.c */
    size_t pin_count;
    bool committed;
    bool dry_run;
    bool no_hits; /* calls after the switch are not recorded (--no-seen) */
    enum request_when when;
    uint32_t timeout;
    uint64_t deadline; /* CLOCK_MONOTONIC ms; never 0 */
    char *warnings[8];
    size_t warning_count;
};

/* Add a warning to the reply. Warnings above the limit are dropped. */
void transaction_warn(struct transaction *transaction, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void transaction_forget_warnings(struct transaction *transaction);

/* Return the slot's change of this transaction. It is made if there is none yet. Return NULL if there is no memory. */
struct change *change_for(struct transaction *transaction, struct slot *slot);
void changes_forget(struct transaction *transaction);

#endif
