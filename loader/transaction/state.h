/*
 * state.h - one transaction: several loads and reverts that happen together or not at all, with the changes of slots that
 * they come to.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_STATE_H
#define HOTPATCH_STATE_H

#include "base/refusal.h"
#include "base/request.h"
#include "loader/module/module.h"
#include "loader/slots/change.h"

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
    bool committed;
    bool dry_run;
    bool no_hits; /* calls after the switch are not recorded (--no-seen) */
    enum request_when when;
    uint32_t timeout;
    uint64_t deadline; /* CLOCK_MONOTONIC ms; never 0 */
    char *warnings[8];
    size_t warning_count;
};

/* Add a warning to the reply; those that are too many are dropped. */
void transaction_warn(struct transaction *transaction, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void transaction_forget_warnings(struct transaction *transaction);

/* Return the slot's change of this transaction, made where there is none yet. NULL: no memory. */
struct change *change_for(struct transaction *transaction, struct slot *slot);
void changes_forget(struct transaction *transaction);

#endif
