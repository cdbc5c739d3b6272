/*
 * old_calls.c - see old_calls.h.
 *
 * A patch may call the code that it replaces (HOTPATCH_ORIGINAL). So a thread in the program's own function tells
 * something only where the new code was not entered since the switch, or never calls the old: a thin object.
 */
#include "loader/transaction/old_calls.h"

#include "base/services.h"
#include "loader/objects/object.h"
#include "loader/slots/module_state.h"
#include "loader/slots/slot.h"
#include "loader/slots/slot_report.h"
#include "loader/text/frames.h"
#include "loader/text/thread_scan.h"

enum { LOOK_MS = 100 };

static struct thread_frames frames; /* of the last look */

struct old_code {
    const struct slot *slot;
    uintptr_t function;
    const struct timespec *since; /* the switch after which it is old */
};

static void put_threads(const struct old_code *old, reported_old_call_fn *put, void *context)
{
    pid_t last = 0;

    for (size_t i = 0; i < frames.count; i++) {
        struct reported_old_call call = {.slot = old->slot->name,
                                         .object = slot_object_name(old->slot),
                                         .since = *old->since,
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
    struct old_code own = {slot, slot->object->bias + slot->definition, &slot->left},
                    replaced = {slot, top->replaced, &top->since};

    if (!may_call_own(slot))
        put_threads(&own, put, context);
    if (replaced.function != slot->base && !is_layer(slot, replaced.function))
        put_threads(&replaced, put, context);
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
