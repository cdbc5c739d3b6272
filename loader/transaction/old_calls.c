/*
 * old_calls.c - see old_calls.h.
 *
 * A patch may call the code that it replaces (HOTPATCH_ORIGINAL). So a thread in the program's own function tells
 * something only where the new code was not entered since the switch, or never calls the old: a thin object.
 */
#include "loader/transaction/old_calls.h"

#include "base/services.h"
#include "loader/module/thin_state.h"
#include "loader/objects/object.h"
#include "loader/slots/module_state.h"
#include "loader/slots/slot.h"
#include "loader/slots/slot_report.h"
#include "loader/text/frames.h"
#include "loader/text/thread_scan.h"

enum { LOOK_MS = 100 };

static struct thread_frames frames; /* of the last look */

struct old_code {
    const struct slot *slot; /* its own, or one of its object */
    const char *name;
    const struct module *by; /* the patch that made it old; or NULL */
    bool entry;
    uintptr_t function;
    struct timespec since; /* the switch after which it is old */
};

static void put_threads(const struct old_code *old, reported_old_call_fn *put, void *context)
{
    pid_t last = 0;

    for (size_t i = 0; i < frames.count; i++) {
        struct reported_old_call call = {.slot = old->name,
                                         .object = slot_object_name(old->slot),
                                         .module = old->by ? old->by->name : NULL,
                                         .entry = old->entry,
                                         .since = old->since,
                                         .tid = frames.list[i].entry};
        char name[32];

        if (frames.list[i].function != old->function || frames.list[i].entry == last)
            continue;
        last = frames.list[i].entry; /* a function that calls itself is one */
        thread_scan_name(last, name);
        call.thread = name;
        put(context, &call);
    }
}

/* Return whether a call of the live code may lead to the program's own. */
static bool may_call_own(const struct slot *slot)
{
    const struct module *module = slot->layers[slot->layer_count - 1].module;

    if (slot->layer_count == 1 && module && module->thin)
        return false;
    return slot->hit || slot->no_hits;
}

static bool is_layer(const struct slot *slot, uintptr_t function)
{
    for (size_t i = 0; i < slot->layer_count; i++)
        if (slot->layers[i].function == function)
            return true;
    return false;
}

static void put_slot_calls(const struct slot *slot, reported_old_call_fn *put, void *context)
{
    const struct layer *top = &slot->layers[slot->layer_count - 1];
    struct old_code own = {.slot = slot,
                           .name = slot->name,
                           .by = top->module,
                           .entry = true,
                           .function = slot->object->bias + slot->definition,
                           .since = slot->left};
    struct old_code replaced = own;

    replaced.function = top->replaced;
    replaced.since = top->since;
    if (!may_call_own(slot))
        put_threads(&own, put, context);
    if (replaced.function != slot->base && !is_layer(slot, replaced.function))
        put_threads(&replaced, put, context);
}

/* Report the calls of old code that has no slot. The first replacement of each thin object stands for it. */
static void put_calls_without_slot(const struct slot *slot, const struct layer *layer,
                                   reported_old_call_fn *put, void *context)
{
    const struct module *module = layer->module;

    if (!module || !module->thin || layer->replacement != 0)
        return;
    for (size_t i = 0; i < module->thin->old_count; i++) {
        const struct thin_old_code *code = &module->thin->olds[i];
        struct old_code old = {.slot = slot,
                               .name = code->name,
                               .by = module,
                               .function = slot->object->bias + code->offset,
                               .since = code->since.tv_sec ? code->since : module->since};

        put_threads(&old, put, context);
    }
}

void old_calls_each(reported_old_call_fn *put, void *context)
{
    bool looked = false;

    frames_free(&frames);

    for (const struct slot *slot = slots_of(SLOT_ENTRY); slot; slot = slot->next_of_kind) {
        if (slot->layer_count == 0 || !slot->object)
            continue;
        if (!looked)
            frames_look(&frames, LOOK_MS);
        looked = true;
        put_slot_calls(slot, put, context);
        for (size_t i = 0; i < slot->layer_count; i++)
            put_calls_without_slot(slot, &slot->layers[i], put, context);
    }
}

void old_calls_each_running(reported_old_call_fn *put, void *context)
{
    for (size_t i = 0; i < frames.running_count; i++) {
        struct reported_old_call call = {.tid = frames.running[i]};
        char name[32];

        thread_scan_name(frames.running[i], name);
        call.thread = name;
        put(context, &call);
    }
    frames_free(&frames);
}
