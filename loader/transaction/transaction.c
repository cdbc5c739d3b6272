/*
 * transaction.c - see transaction.h.
 *
 * Until the commit nothing of the process has changed, except that modules may be loaded, and jumps that lead to the
 * old code may be put in. If a step fails, both are undone. After the commit no step is refused.
 */
#include "loader/transaction/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "arch/decoder.h"
#include "base/clock.h"
#include "base/services.h"
#include "base/text.h"
#include "loader/module/module_check.h"
#include "loader/module/module_place.h"
#include "loader/module/module_unique.h"
#include "loader/module/parked.h"
#include "loader/module/thin_module.h"
#include "loader/objects/mappings.h"
#include "loader/objects/maps_at.h"
#include "loader/slots/ifunc.h"
#include "loader/transaction/arming.h"
#include "loader/transaction/commit.h"
#include "loader/transaction/decoder_need.h"
#include "loader/transaction/hooks.h"
#include "loader/transaction/loading.h"
#include "loader/transaction/pin.h"
#include "loader/transaction/plan.h"
#include "loader/transaction/reuse.h"

static void take_terms(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->request_count; i++) {
        const struct request *request = &transaction->requests[i];

        if (request->when > transaction->when)
            transaction->when = request->when;
        if (request->timeout > transaction->timeout)
            transaction->timeout = request->timeout;
        if (request->deadline &&
            (!transaction->deadline || request->deadline < transaction->deadline))
            transaction->deadline = request->deadline;
        transaction->dry_run |= request->dry_run;
        transaction->no_hits |= request->no_hits;
        if (request->unload)
            refuse(transaction->why, HP_LATER, "unloading a patch's code is not there yet");
        if (request->when == WHEN_QUIET)
            refuse(transaction->why, HP_LATER, "when=quiet is not there yet");
    }
    if (!transaction->deadline)
        transaction->deadline = clock_ms() + 10000 + transaction->timeout;
}

static int check_deadline(struct transaction *transaction)
{
    uint64_t now = clock_ms();

    if (now < transaction->deadline)
        return 0;
    return refuse(transaction->why, HP_DEADLINE, "the deadline passed %llu ms ago",
                  (unsigned long long)(now - transaction->deadline));
}

static int make_plan(void *context)
{
    struct transaction *transaction = context;

    if (plan_make(transaction) != 0)
        return -1;
    return transaction->dry_run ? arming_try(transaction) : 0;
}

static int place_modules(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->load_count; i++)
        if (module_place(transaction->loads[i]) != 0)
            return refuse(transaction->why, HP_INTERNAL, "%s was loaded and is not listed",
                          transaction->loads[i]->path);
    return 0;
}

static int locked_commit(void *context)
{
    return commit(context);
}

static void commit_now(void *context)
{
    shim()->commit_begin();
    objects_locked(locked_commit, context);
    shim()->commit_end();
}

static int commit_at_safe_point(struct transaction *transaction)
{
    uint64_t until = clock_ms() + transaction->timeout;

    if (shim()->at_safe_point(commit_now, transaction,
                              until < transaction->deadline ? until : transaction->deadline) == 0)
        return 0;
    return refuse(transaction->why, HP_TIMEOUT,
                  "the program reached no hotpatch_safe_point() within %u ms",
                  transaction->timeout);
}

/* Arm the entries, and commit if the request asks for it. Armed entries lead to the old code until the commit. */
static int commit_when_asked(struct transaction *transaction)
{
    if (check_deadline(transaction) != 0 || arming_arm(transaction) != 0)
        return -1;
    if (transaction->when == WHEN_SAFE_POINT)
        commit_at_safe_point(transaction);
    else if (check_deadline(transaction) == 0)
        commit_now(transaction);
    if (!transaction->committed && transaction->why->count == 0)
        refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    if (!transaction->committed)
        arming_disarm(transaction);
    return transaction->committed ? 0 : -1;
}

/* Make the bytes that ld.so will load, where they differ from the file's. */
static int make_bytes(void *context)
{
    struct transaction *transaction = context;

    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];

        if (module->thin && !module->reused &&
            (thin_module_find(module, transaction->why) != 0 ||
             thin_module_link(module, transaction->why) != 0))
            return -1;
        if (module_make_unique_own(module, transaction->why) != 0)
            return -1;
    }
    return 0;
}

/* Refuse to load if the number of mappings would reach the limit, where the program's next mmap(2) would fail. A dry
 * run assumes that parked mappings are used again. */
static int check_mappings(const struct transaction *transaction)
{
    size_t count = 0;

    for (size_t i = 0; i < transaction->load_count; i++)
        count += !module_is_in_process(transaction->loads[i]) &&
                 !(transaction->dry_run && parked_next(transaction->loads[i], NULL));
    return count ? mappings_check(count, mappings_limit(), transaction->why) : 0;
}

static int snapshot_all(struct transaction *transaction)
{
    if (objects_locked(make_bytes, transaction) != 0)
        return transaction->why->count
                   ? -1
                   : refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    for (size_t i = 0; i < transaction->load_count; i++)
        if (module_snapshot(transaction->loads[i], transaction->why) != 0)
            return -1;
    return 0;
}

/* Run the steps from the loaded modules to the commit. If a step fails, close the modules again. */
static int apply(struct transaction *transaction)
{
    if (place_modules(transaction) != 0 || arming_prepare(transaction) != 0 ||
        hooks_before(transaction) != 0 || arming_prepare(transaction) != 0 ||
        commit_when_asked(transaction) != 0) {
        arming_release(transaction);
        pins_release(transaction);
        if (transaction->load_count > 0)
            modules_unload(transaction);
        return -1;
    }
    pins_keep(transaction);
    return 0;
}

static void forget_plan(struct transaction *transaction)
{
    changes_forget(transaction);
    transaction->last_change = &transaction->changes;
    transaction->revert_count = 0;
    transaction_forget_warnings(transaction);
    refusal_clear(transaction->why);
}

static int plan_locked(struct transaction *transaction)
{
    int result;

    maps_keep();
    result = objects_locked(make_plan, transaction);
    maps_forget();
    return result;
}

/* Plan, and ask ld.so for the symbols that the plan needs. Plan again until no symbol is unknown. */
static int plan(struct transaction *transaction)
{
    struct refusal busy = {0};
    int result, asked;

    while ((result = plan_locked(transaction)),
           (asked = ifuncs_ask(transaction->deadline, &busy)) == 1)
        forget_plan(transaction);
    if (asked == 0)
        return result;
    forget_plan(transaction);
    *transaction->why = busy;
    return -1;
}

/* Load the modules; thin objects that are not mapped at their places again, for other places. */
static int load_modules(struct transaction *transaction)
{
    int result;

    do {
        if (snapshot_all(transaction) != 0)
            return -1;
        result = modules_load(transaction);
    } while (result == MODULES_MISPLACED);
    return result;
}

static bool changes_nothing(const struct transaction *transaction)
{
    return transaction->load_count == 0 && transaction->revert_count == 0 && !transaction->changes;
}

static int carry_out(struct transaction *transaction)
{
    if (transaction->unchanged_count == 0 || !changes_nothing(transaction)) {
        if (transaction->load_count > 0 && load_modules(transaction) != 0)
            return -1;
        if (apply(transaction) != 0)
            return -1;
        for (size_t i = 0; i < transaction->load_count; i++)
            if (thin_module_applied(transaction->loads[i]) != 0)
                transaction_warn(
                    transaction,
                    "%s: no memory: its new variables begin anew with the next version",
                    transaction->loads[i]->path);
        hooks_after(transaction);
    }
    for (size_t i = 0; i < transaction->unchanged_count; i++)
        module_go_on(transaction->unchanged[i]);
    return 0;
}

int transaction_run(struct transaction *transaction)
{
    int read;

    transaction->last_change = &transaction->changes;
    take_terms(transaction);
    if (transaction->why->count || check_deadline(transaction) != 0)
        return -1;
    read = plan_read_files(transaction);
    if (decoder_is_needed(transaction) &&
        decoder_load(transaction->deadline, transaction->why) != 0)
        return -1;
    if ((read == 0 ? plan(transaction) : plan_locked(transaction)) != 0 || read != 0) {
        if (transaction->why->count == 0)
            refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
        return -1;
    }
    if (plan_drop_unchanged(transaction) != 0 ||
        modules_check_doubts(transaction->loads, transaction->load_count, transaction->deadline,
                             transaction->why) != 0)
        return -1;
    if (!transaction->dry_run)
        reuse_mappings(transaction);
    if (check_mappings(transaction) != 0)
        return -1;
    if (transaction->dry_run) {
        for (struct change *c = transaction->changes; c; c = c->next)
            c->before = c->slot->live;
        return 0;
    }
    return carry_out(transaction);
}

static bool declares_slots(const struct module *module)
{
    for (struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (slot->owner == module)
            return true;
    return false;
}

/* Retire reverted modules. A module is kept while a layer of another module lies on a slot that it declares. */
static void retire_reverted(void)
{
    struct module *next;

    slots_drop_retired();
    for (struct module *module = module_first(); module; module = next) {
        next = module->next;
        if (module->placed && !module->live &&
            __atomic_load_n(&module->lent, __ATOMIC_ACQUIRE) == LENT_NOT && !declares_slots(module))
            parked_retire(module);
    }
}

void transaction_free(struct transaction *transaction)
{
    changes_forget(transaction);
    transaction_forget_warnings(transaction);
    for (size_t i = 0; i < transaction->load_count; i++) {
        if (transaction->committed) {
            module_forget_file(transaction->loads[i]);
        } else if (transaction->loads[i]->reused) {
            parked_retire(transaction->loads[i]);
        } else {
            module_drop_snapshot(transaction->loads[i]);
            module_free(transaction->loads[i]);
        }
    }
    for (size_t i = 0; i < transaction->unchanged_count; i++)
        module_free(transaction->unchanged[i]);
    modules_retire_returned();
    if (transaction->committed)
        retire_reverted();
    free(transaction->unchanged);
    free(transaction->loads);
    free(transaction->reverts);
    free(transaction->pins);
}
