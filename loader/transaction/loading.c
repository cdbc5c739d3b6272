/*
 * loading.c - see loading.h. The worker runs dlopen(3) and dlclose(3), and so the patches' constructors and
 * destructors.
 *
 * Modules that the worker has not finished at the deadline stay lent to the worker, and are retired after it has given
 * them back.
 */
#include "loader/transaction/loading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/services.h"
#include "loader/module/module_load.h"
#include "loader/module/module_place.h"
#include "loader/module/parked.h"
#include "loader/module/thin_module.h"
#include "loader/objects/object.h"

struct load_job {
    struct worker_job job;
    struct module **modules; /* a copy of the transaction's list */
    size_t count;
    size_t loaded;            /* the first `loaded` modules are in the process */
    struct module *misplaced; /* a thin object that is not mapped at its place */
    size_t kept;              /* after closing: the number of modules that ld.so keeps mapped */
    char error[1024];
    char what[512];
};

bool module_is_in_process(const struct module *module)
{
    return module->injection || module->reused;
}

static void close_all(struct load_job *load)
{
    while (load->loaded > 0)
        if (!module_is_in_process(load->modules[--load->loaded]))
            load->kept += (size_t)module_dlclose(load->modules[load->loaded]);
}

static void run_load(struct worker_job *job)
{
    struct load_job *load = (struct load_job *)(void *)job;

    for (; load->loaded < load->count; load->loaded++) {
        if (module_is_in_process(load->modules[load->loaded]))
            continue;
        int opened = module_dlopen(load->modules[load->loaded], load->error, sizeof(load->error));

        if (opened != 0) {
            load->misplaced = opened == MODULE_MISPLACED ? load->modules[load->loaded] : NULL;
            close_all(load);
            return;
        }
    }
}

static void run_close(struct worker_job *job)
{
    close_all((struct load_job *)(void *)job);
}

/* Mark the modules. While they are lent to the worker no other thread frees them. */
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

/* Close the modules whose constructors ended after the transaction was refused. They stay listed until they are
 * retired, so that their objects are known to be patches. */
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

/* Copy the transaction's modules, thin objects first: they have no constructors, so that loading them again has no
 * effect on others. */
static void copy_modules(const struct transaction *transaction, struct load_job *load)
{
    for (int thin = 1; thin >= 0; thin--)
        for (size_t i = 0; i < transaction->load_count; i++)
            if ((transaction->loads[i]->thin != NULL) == thin)
                load->modules[load->count++] = transaction->loads[i];
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
    copy_modules(transaction, load);
    load->loaded = closing ? load->count : 0;
    load->job = closing ? (struct worker_job){run_close, close_abandoned, load->what}
                        : (struct worker_job){run_load, load_abandoned, load->what};
    snprintf(load->what, sizeof(load->what), "%s of %s%s", closing ? "destructors" : "constructors",
             transaction->loads[0]->path, transaction->load_count > 1 ? " and others" : "");
    return load;
}

/* Return the code for an error text of ld.so. Its three sentences have been stable since glibc 2.0. */
static enum error_code code_of_linker(const char *error)
{
    if (strstr(error, "undefined symbol"))
        return HP_UNDEFINED;
    if (strstr(error, "cannot open shared object file"))
        return HP_NEEDED;
    return HP_LOAD;
}

/* Free the modules after dlclose(3) on the worker, or retire those that ld.so keeps mapped. The changes are freed
 * first, since they point to slots of the modules. */
static void forget_modules(struct transaction *transaction)
{
    changes_forget(transaction);
    objects_refresh();
    for (size_t i = 0; i < transaction->load_count; i++) {
        module_drop_snapshot(transaction->loads[i]);
        parked_retire(transaction->loads[i]);
    }
    transaction->load_count = 0;
}

static bool all_in_process(const struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->load_count; i++)
        if (!module_is_in_process(transaction->loads[i]))
            return false;
    return true;
}

/* Prepare another try after ld.so has mapped a thin object elsewhere. */
static int load_elsewhere(struct transaction *transaction, struct module *misplaced)
{
    if (thin_module_again(misplaced, transaction->why) != 0) {
        forget_modules(transaction);
        return -1;
    }
    objects_refresh();
    module_forget_snapshot(misplaced);
    for (size_t i = 0; i < transaction->load_count; i++)
        module_unlist(transaction->loads[i]);
    return MODULES_MISPLACED;
}

int modules_load(struct transaction *transaction)
{
    struct load_job *load = load_new(transaction, false);
    int ran;

    if (!load)
        return refuse(transaction->why, HP_MEMORY, "load the patch: no memory");
    for (size_t i = 0; i < transaction->load_count; i++)
        module_keep(transaction->loads[i]);
    if (all_in_process(transaction)) {
        load_free(load);
        return 0;
    }
    lend(load, LENT_OUT);
    ran = shim()->worker_run(&load->job, transaction->deadline);
    if (ran == -ETIMEDOUT) {
        const char *path = transaction->loads[0]->path;

        changes_forget(transaction);
        transaction->load_count = 0; /* the modules belong to the worker, which closes them */
        return refuse(transaction->why, HP_DEADLINE,
                      "the constructors of %s are still running; it will be closed when they end",
                      path);
    }
    lend(load, LENT_NOT);
    if (ran == 0 && load->loaded == load->count) {
        load_free(load);
        return 0;
    }
    if (ran == 0 && load->misplaced && load->kept == 0) {
        struct module *misplaced = load->misplaced;

        load_free(load);
        return load_elsewhere(transaction, misplaced);
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

void modules_unload(struct transaction *transaction)
{
    struct load_job *load = load_new(transaction, true);
    int ran = -ENOMEM;

    if (load && all_in_process(transaction)) {
        ran = 0;
    } else if (load) {
        lend(load, LENT_OUT);
        ran = shim()->worker_run(&load->job, clock_ms() + 1000);
    }
    if (ran != 0 || load->kept > 0)
        refuse(transaction->why, HP_UNLOAD, "%s stays mapped, without effect",
               transaction->loads[0]->path);
    if (ran == -ETIMEDOUT) {
        changes_forget(transaction);
        transaction->load_count = 0; /* the modules belong to the worker */
        return;
    }
    if (load) {
        lend(load, LENT_NOT);
        load_free(load);
    }
    forget_modules(transaction);
}

void modules_retire_returned(void)
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
        parked_retire(module);
    }
}
