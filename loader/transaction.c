/*
 * transaction.c - the steps of design.md, section 6, in their order, and the way back from each.
 *
 * Up to the commit nothing of the process has changed but that modules may have been loaded; then
 * they are closed again. After the commit nothing is refused any more.
 */
#include "transaction.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "entry.h"
#include "ifunc.h"
#include "mappings.h"
#include "maps.h"
#include "parked.h"
#include "pin.h"
#include "text.h"

void transaction_warn(struct transaction *transaction, const char *format, ...)
{
    va_list arguments;
    char *text;

    if (transaction->warning_count ==
        sizeof(transaction->warnings) / sizeof(transaction->warnings[0]))
        return;
    va_start(arguments, format);
    text = text_format_list(format, arguments);
    va_end(arguments);
    if (text)
        transaction->warnings[transaction->warning_count++] = text;
}

static void forget_warnings(struct transaction *transaction)
{
    while (transaction->warning_count > 0)
        free(transaction->warnings[--transaction->warning_count]);
}

/* ---- the worker's part: dlopen and dlclose ---- */

struct load_job {
    struct worker_job job;
    struct module **modules; /* copy of the transaction's list */
    size_t count;
    size_t loaded; /* the first so many are in the process */
    size_t kept;   /* after closing: how many ld.so would not unmap */
    char error[1024];
    char what[512];
};

/* A fault has no file, and a reused mapping stays. */
static bool is_in_process(const struct module *module)
{
    return module->fault || module->reused;
}

static void close_all(struct load_job *load)
{
    while (load->loaded > 0)
        if (!is_in_process(load->modules[--load->loaded]))
            load->kept += (size_t)module_dlclose(load->modules[load->loaded]);
}

static void run_load(struct worker_job *job)
{
    struct load_job *load = (struct load_job *)(void *)job;

    for (; load->loaded < load->count; load->loaded++) {
        if (is_in_process(load->modules[load->loaded]))
            continue;
        if (module_dlopen(load->modules[load->loaded], load->error, sizeof(load->error)) != 0) {
            close_all(load);
            return;
        }
    }
}

static void run_close(struct worker_job *job)
{
    close_all((struct load_job *)(void *)job);
}

/* While the worker has them nobody else ends them. */
static void lend(const struct load_job *load, enum module_lent state)
{
    for (size_t i = 0; i < load->count; i++)
        __atomic_store_n(&load->modules[i]->lent, state, __ATOMIC_RELEASE);
}

static void load_free(struct load_job *load)
{
    free(load->modules);
    free(load);
}

/* Constructors that ended too late: what they were loaded for has been refused. The modules stay
 * listed, so that their objects are known for patches that are not applied. */
static void load_abandoned(struct worker_job *job)
{
    struct load_job *load = (struct load_job *)(void *)job;

    close_all(load);
    for (size_t i = 0; i < load->count; i++)
        module_forget_file(load->modules[i]);
    lend(load, LENT_BACK);
    load_free(load);
}

static void close_abandoned(struct worker_job *job)
{
    struct load_job *load = (struct load_job *)(void *)job;

    lend(load, LENT_BACK);
    load_free(load);
}

static struct load_job *load_new(const struct transaction *transaction, bool closing)
{
    struct load_job *load = calloc(1, sizeof(*load));

    if (!load)
        return NULL;
    load->modules = calloc(transaction->load_count, sizeof(*load->modules));
    if (!load->modules) {
        free(load);
        return NULL;
    }
    memcpy(load->modules, transaction->loads, transaction->load_count * sizeof(*load->modules));
    load->count = transaction->load_count;
    load->loaded = closing ? load->count : 0;
    load->job = closing ? (struct worker_job){run_close, close_abandoned, load->what}
                        : (struct worker_job){run_load, load_abandoned, load->what};
    snprintf(load->what, sizeof(load->what), "%s of %s%s", closing ? "destructors" : "constructors",
             transaction->loads[0]->path, transaction->load_count > 1 ? " and others" : "");
    return load;
}

/* ld.so's own words tell what is missing; its three sentences have been stable since glibc 2.0. */
static enum error_code code_of_linker(const char *error)
{
    if (strstr(error, "undefined symbol"))
        return HP_UNDEFINED;
    if (strstr(error, "cannot open shared object file"))
        return HP_NEEDED;
    return HP_LOAD;
}

static void forget_changes(struct transaction *transaction)
{
    while (transaction->changes) {
        struct change *change = transaction->changes;

        transaction->changes = change->next;
        slot_unpin(change->slot);
        free(change->layers);
        free(change);
    }
}

/* After dlclose on the worker: forget the modules, or what ld.so leaves of them. Their slots are
 * theirs, so the changes go first. */
static void forget_modules(struct transaction *transaction)
{
    forget_changes(transaction);
    objects_refresh();
    for (size_t i = 0; i < transaction->load_count; i++) {
        module_drop_snapshot(transaction->loads[i]);
        module_retire(transaction->loads[i]);
    }
    transaction->load_count = 0;
}

static bool all_in_process(const struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->load_count; i++)
        if (!is_in_process(transaction->loads[i]))
            return false;
    return true;
}

static int load_modules(struct transaction *transaction)
{
    struct load_job *load = load_new(transaction, false);
    int ran;

    if (!load)
        return refuse(transaction->why, HP_MEMORY, "load the patch: no memory");
    for (size_t i = 0; i < transaction->load_count; i++)
        module_keep(transaction->loads[i]);
    if (all_in_process(transaction)) {
        load_free(load);
        transaction->loaded = true;
        return 0;
    }
    lend(load, LENT_OUT);
    ran = shim()->worker_run(&load->job, transaction->deadline);
    if (ran == -ETIMEDOUT) {
        const char *path = transaction->loads[0]->path;

        forget_changes(transaction);
        transaction->load_count = 0; /* the worker's, which closes them when it can */
        return refuse(transaction->why, HP_DEADLINE,
                      "the constructors of %s are still running; it will be closed when they end",
                      path);
    }
    lend(load, LENT_NOT);
    if (ran == 0 && load->loaded == load->count) {
        transaction->loaded = true;
        load_free(load);
        return 0;
    }
    if (ran == 0)
        refuse(transaction->why, code_of_linker(load->error), "%s%s", load->error,
               load->kept ? " (what was loaded before it could not be unmapped)" : "");
    else {
        char doing[256] = "";

        shim()->worker_doing(doing, sizeof(doing));
        refuse(transaction->why, HP_BUSY, "load the patch: still at work on %s",
               *doing ? doing : "an earlier request");
    }
    load_free(load);
    forget_modules(transaction);
    return -1;
}

/* The way back from a refusal after the modules were loaded. */
static void unload_modules(struct transaction *transaction)
{
    struct load_job *load = load_new(transaction, true);
    int ran = -ENOMEM;

    if (load && all_in_process(transaction)) {
        ran = 0;
    } else if (load) {
        lend(load, LENT_OUT);
        ran = shim()->worker_run(&load->job, engine_now_ms() + 1000);
    }
    if (ran != 0 || load->kept > 0)
        refuse(transaction->why, HP_UNLOAD, "%s stays mapped, without effect",
               transaction->loads[0]->path);
    if (ran == -ETIMEDOUT) {
        forget_changes(transaction);
        transaction->load_count = 0; /* the worker's */
        return;
    }
    if (load) {
        lend(load, LENT_NOT);
        load_free(load);
    }
    forget_modules(transaction);
}

/* ---- the steps ---- */

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
        transaction->unseen |= request->unseen;
        if (request->unload)
            refuse(transaction->why, HP_LATER, "unloading a patch's code is not there yet");
        if (request->when == WHEN_QUIET)
            refuse(transaction->why, HP_LATER, "when=quiet is not there yet");
    }
    if (!transaction->deadline)
        transaction->deadline = engine_now_ms() + 10000 + transaction->timeout;
}

static int check_deadline(struct transaction *transaction)
{
    uint64_t now = engine_now_ms();

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
    return transaction->dry_run ? entries_try(transaction) : 0;
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
    uint64_t until = engine_now_ms() + transaction->timeout;

    if (shim()->at_safe_point(commit_now, transaction,
                              until < transaction->deadline ? until : transaction->deadline) == 0)
        return 0;
    return refuse(transaction->why, HP_TIMEOUT,
                  "the program reached no hotpatch_safe_point() within %u ms",
                  transaction->timeout);
}

/* Entries that are armed lead to the old code until the commit. */
static int commit_when_asked(struct transaction *transaction)
{
    if (check_deadline(transaction) != 0 || entries_arm(transaction) != 0)
        return -1;
    if (transaction->when == WHEN_SAFE_POINT)
        commit_at_safe_point(transaction);
    else if (check_deadline(transaction) == 0)
        commit_now(transaction);
    if (!transaction->committed && transaction->why->count == 0)
        refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    if (!transaction->committed)
        entries_disarm(transaction);
    return transaction->committed ? 0 : -1;
}

static int settle_unique(void *context)
{
    struct transaction *transaction = context;

    for (size_t i = 0; i < transaction->load_count; i++)
        if (module_settle_unique(transaction->loads[i], transaction->why) != 0)
            return -1;
    return 0;
}

/* Beyond the limit the program's next mmap(2) would fail. A dry run takes it that what was mapped is reused. */
static int check_mappings(const struct transaction *transaction)
{
    size_t count = 0;

    for (size_t i = 0; i < transaction->load_count; i++)
        count += !is_in_process(transaction->loads[i]) &&
                 !(transaction->dry_run && parked_next(transaction->loads[i], NULL));
    return count ? mappings_check(count, mappings_limit(), transaction->why) : 0;
}

static int snapshot_all(struct transaction *transaction)
{
    if (objects_locked(settle_unique, transaction) != 0)
        return transaction->why->count
                   ? -1
                   : refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    for (size_t i = 0; i < transaction->load_count; i++)
        if (module_snapshot(transaction->loads[i], transaction->why) != 0)
            return -1;
    return 0;
}

/* From loaded modules to the commit; where it fails they are closed again. */
static int apply(struct transaction *transaction)
{
    if (place_modules(transaction) != 0 || entries_prepare(transaction) != 0 ||
        hooks_before(transaction) != 0 || entries_prepare(transaction) != 0 ||
        commit_when_asked(transaction) != 0) {
        entries_release(transaction);
        pins_release(transaction);
        if (transaction->load_count > 0)
            unload_modules(transaction);
        return -1;
    }
    pins_keep(transaction);
    return 0;
}

static void forget_plan(struct transaction *transaction)
{
    forget_changes(transaction);
    transaction->last_change = &transaction->changes;
    transaction->revert_count = 0;
    forget_warnings(transaction);
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

/* What a plan asks for is known to the next one. */
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

static bool changes_nothing(const struct transaction *transaction)
{
    return transaction->load_count == 0 && transaction->revert_count == 0 && !transaction->changes;
}

static int carry_out(struct transaction *transaction)
{
    if (transaction->unchanged_count == 0 || !changes_nothing(transaction)) {
        if (transaction->load_count > 0 &&
            (snapshot_all(transaction) != 0 || load_modules(transaction) != 0))
            return -1;
        if (apply(transaction) != 0)
            return -1;
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
    if (decoder_is_wanted(transaction) &&
        decoder_load(transaction->deadline, transaction->why) != 0)
        return -1;
    if ((read == 0 ? plan(transaction) : plan_locked(transaction)) != 0 || read != 0) {
        if (transaction->why->count == 0)
            refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
        return -1;
    }
    if (plan_settle_unchanged(transaction) != 0 ||
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

/* What the worker was late with, and has closed now. */
static void retire_returned(void)
{
    struct module *next;
    bool refreshed = false;

    for (struct module *module = module_first(); module; module = next) {
        next = module->next;
        if (__atomic_load_n(&module->lent, __ATOMIC_ACQUIRE) != LENT_BACK)
            continue;
        if (!refreshed)
            objects_refresh();
        refreshed = true;
        module->lent = LENT_NOT;
        module_drop_snapshot(module);
        module_retire(module);
    }
}

/* A reverted module is kept while another's layer lies on a slot that it declares. */
static void retire_reverted(void)
{
    struct module *next;

    slots_drop_retired();
    for (struct module *module = module_first(); module; module = next) {
        next = module->next;
        if (module->placed && !module->live &&
            __atomic_load_n(&module->lent, __ATOMIC_ACQUIRE) == LENT_NOT && !declares_slots(module))
            module_retire(module);
    }
}

void transaction_free(struct transaction *transaction)
{
    forget_changes(transaction);
    forget_warnings(transaction);
    for (size_t i = 0; i < transaction->load_count; i++) {
        if (transaction->committed) {
            module_forget_file(transaction->loads[i]);
        } else if (transaction->loads[i]->reused) {
            module_retire(transaction->loads[i]);
        } else {
            module_drop_snapshot(transaction->loads[i]);
            module_free(transaction->loads[i]);
        }
    }
    for (size_t i = 0; i < transaction->unchanged_count; i++)
        module_free(transaction->unchanged[i]);
    retire_returned();
    if (transaction->committed)
        retire_reverted();
    free(transaction->unchanged);
    free(transaction->loads);
    free(transaction->reverts);
    free(transaction->pins);
}
