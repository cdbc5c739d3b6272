/*
 * hooks.c - see hooks.h. The thread that holds the engine lock waits for the worker, until the deadline.
 *
 * A hook that still runs at the deadline is abandoned. The hook continues on the worker, with a context that refuses
 * every request. The transaction continues without the hook.
 */
#include "loader/transaction/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/services.h"
#include "base/text.h"
#include "loader/transaction/plan.h"

struct hook_job {
    struct worker_job job; /* the first member: the worker has a pointer to it */
    struct hotpatch_context context;
    struct module *module;
    hotpatch_hook function;
    int result;
    pthread_mutex_t lock;            /* orders `replace` on the worker against abandoning it */
    struct transaction *transaction; /* NULL: abandoned */
    int holders; /* of an abandoned job: the worker and the thread that abandons it */
    char what[256];
    struct hotpatch_change changes[];
};

static const char *const hook_names[] = {"before_apply", "after_apply", "before_revert",
                                         "after_revert"};

static void run(struct worker_job *job)
{
    struct hook_job *hook = (struct hook_job *)(void *)job;

    hook->result = hook->function(&hook->context);
}

static void hook_free(struct hook_job *hook)
{
    for (uint32_t i = 0; i < hook->context.change_count; i++) {
        free((char *)hook->changes[i].target);
        free((char *)hook->changes[i].object);
    }
    pthread_mutex_destroy(&hook->lock);
    free((char *)hook->context.module);
    free(hook);
}

static void hook_release(struct hook_job *hook)
{
    if (__atomic_sub_fetch(&hook->holders, 1, __ATOMIC_ACQ_REL) == 0)
        hook_free(hook);
}

static void abandoned(struct worker_job *job)
{
    hook_release((struct hook_job *)(void *)job);
}

/* Replace a target for hotpatch_context_replace(). The target is resolved at once, so that the hook gets the result. */
static int replace(struct hotpatch_context *context, const char *target, const char *signature,
                   hotpatch_function function, void *original)
{
    struct hook_job *hook = context->engine;
    int result = -ECANCELED;

    if (!target || !function)
        return -EINVAL;
    pthread_mutex_lock(&hook->lock);
    if (hook->transaction)
        result = plan_add(hook->transaction, hook->module, target, signature, (uintptr_t)function,
                          original) == 0
                     ? 0
                     : -ENOENT;
    pthread_mutex_unlock(&hook->lock);
    return result;
}

static bool concerns(const struct layer *layers, size_t count, const struct module *module)
{
    for (size_t i = 0; i < count; i++)
        if (layers[i].module == module)
            return true;
    return false;
}

/* Return whether the change has a layer of the module. Before the commit the change has the new layers and the slot has
 * the old layers. After the commit the slot has the new layers. */
static bool change_concerns(const struct change *c, const struct module *module)
{
    return concerns(c->layers, c->layer_count, module) ||
           concerns(c->slot->layers, c->slot->layer_count, module);
}

static struct hook_job *hook_new(struct transaction *transaction, struct module *module,
                                 enum hook which)
{
    size_t count = 0;
    struct hook_job *hook;

    for (const struct change *c = transaction->changes; c; c = c->next)
        count++;
    hook = calloc(1, sizeof(*hook) + count * sizeof(hook->changes[0]));
    if (!hook)
        return NULL;
    pthread_mutex_init(&hook->lock, NULL);
    hook->job = (struct worker_job){run, abandoned, hook->what};
    hook->holders = 2;
    hook->module = module;
    hook->transaction = transaction;
    memcpy(&hook->function, &module->hooks[which], sizeof(hook->function));
    snprintf(hook->what, sizeof(hook->what), "hook %s of %s", hook_names[which], module->name);
    hook->context = (struct hotpatch_context){.size = sizeof(hook->context),
                                              .module = text_copy(module->name),
                                              .changes = hook->changes,
                                              .replace = replace,
                                              .engine = hook};
    for (struct change *c = transaction->changes; c; c = c->next) {
        struct hotpatch_change *change = &hook->changes[hook->context.change_count];

        if (!change_concerns(c, module))
            continue;
        if (!transaction->committed)
            change_values(c);
        change->target = text_copy(c->slot->name);
        change->object = text_copy(c->slot->object ? slot_object_name(c->slot) : module->name);
        change->kind = slot_kind_name(c->slot->ops->kind);
        memcpy(&change->before, &c->before, sizeof(change->before));
        memcpy(&change->after, &c->after, sizeof(change->after));
        hook->context.change_count++;
    }
    return hook;
}

/* Abandon a hook that is still running: it may be inside `replace` at this moment. */
static void abandon(struct hook_job *hook)
{
    pthread_mutex_lock(&hook->lock);
    hook->transaction = NULL;
    pthread_mutex_unlock(&hook->lock);
    hook_release(hook); /* the worker may have finished it already */
}

/* Run a hook. Return 0 with the hook's return value in `result`; -1 with `why` if the hook did not run to its end. */
static int call(struct transaction *transaction, struct module *module, enum hook which,
                uint64_t deadline, struct refusal *why, int *result)
{
    struct hook_job *hook = hook_new(transaction, module, which);
    int ran;

    *result = 0;
    if (!hook)
        return refuse(why, HP_MEMORY, "run hook %s of %s: no memory", hook_names[which],
                      module->name);
    ran = shim()->worker_run(&hook->job, deadline);
    if (ran == 0) {
        *result = hook->result;
        hook_free(hook);
        return 0;
    }
    if (ran == -ETIMEDOUT) {
        abandon(hook);
        return refuse(why, HP_DEADLINE, "hook %s of %s is still running", hook_names[which],
                      module->name);
    }
    hook_free(hook);
    return refuse(why, HP_BUSY, "run hook %s of %s: the patching thread is busy", hook_names[which],
                  module->name);
}

int hooks_before(struct transaction *transaction)
{
    int result;

    for (size_t i = 0; i < transaction->revert_count; i++) {
        struct module *module = transaction->reverts[i];

        if (!module->hooks[HOOK_BEFORE_REVERT])
            continue;
        if (call(transaction, module, HOOK_BEFORE_REVERT, transaction->deadline, transaction->why,
                 &result) != 0)
            return -1;
        if (result != 0)
            return refuse(transaction->why, HP_HOOK, "before_revert of %s returned %d",
                          module->name, result);
    }
    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];

        if (!module->hooks[HOOK_BEFORE_APPLY])
            continue;
        if (call(transaction, module, HOOK_BEFORE_APPLY, transaction->deadline, transaction->why,
                 &result) != 0)
            return -1;
        if (result != 0)
            return refuse(transaction->why, HP_HOOK, "before_apply of %s returned %d", module->name,
                          result);
    }
    return transaction->why->count ? -1 : 0;
}

/* ---- after the commit: an error is a warning, because no step can be refused any more ---- */

static void call_after(struct transaction *transaction, struct module *module, enum hook which)
{
    struct refusal why = {0};
    int result;

    if (!module->hooks[which])
        return;
    if (call(transaction, module, which, transaction->deadline, &why, &result) != 0)
        transaction_warn(transaction, "%s", why.items[0].text ? why.items[0].text : "no memory");
    else if (result != 0)
        transaction_warn(transaction, "%s of %s returned %d", hook_names[which], module->name,
                         result);
    refusal_clear(&why);
}

struct handlers_job {
    struct worker_job job;
    struct change_handler *first;
};

static void run_handlers(struct worker_job *job)
{
    struct handlers_job *handlers = (struct handlers_job *)(void *)job;

    for (struct change_handler *h = handlers->first; h;
         h = __atomic_load_n(&h->next, __ATOMIC_ACQUIRE))
        h->handler(h->context);
}

static void handlers_abandoned(struct worker_job *job)
{
    free(job);
}

static void call_handlers(struct transaction *transaction)
{
    struct handlers_job *job;
    int ran;

    if (!shim()->handlers())
        return;
    job = calloc(1, sizeof(*job));
    if (!job)
        return;
    *job = (struct handlers_job){
        {run_handlers, handlers_abandoned, "the program's change handlers"}, shim()->handlers()};
    ran = shim()->worker_run(&job->job, transaction->deadline);
    if (ran != -ETIMEDOUT)
        free(job);
    if (ran != 0)
        transaction_warn(transaction, "the program's change handlers %s",
                         ran == -ETIMEDOUT ? "are still running" : "could not run");
}

void hooks_after(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->revert_count; i++)
        call_after(transaction, transaction->reverts[i], HOOK_AFTER_REVERT);
    for (size_t i = 0; i < transaction->load_count; i++)
        call_after(transaction, transaction->loads[i], HOOK_AFTER_APPLY);
    call_handlers(transaction);
}
