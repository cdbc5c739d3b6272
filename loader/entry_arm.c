/*
 * entry_arm.c - entry slots made ready and armed: stubs written, and the jumps put in; see entry.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "near_memory.h"
#include "pin.h"
#include "site.h"
#include "text.h"

/* ---- arming ---- */

static int prepare(struct transaction *transaction, struct slot *slot)
{
    struct site_problem why = {0};
    struct word word = {.object = slot->object};

    if (slot->word_count > 0)
        return 0;
    if (site_prepare(slot->site, &why) != 0)
        return refuse(transaction->why, (enum error_code)why.code, "%s: %s", slot->name, why.text);
    word.address = site_word(slot->site);
    if (slot_add_word(slot, &word) != 0)
        return refuse(transaction->why, HP_MEMORY, "%s: no memory", slot->name);
    slot->base = slot->live = site_original(slot->site);
    return 0;
}

static int prepare_all(void *context)
{
    struct transaction *transaction = context;

    for (struct change *c = transaction->changes; c; c = c->next) {
        if (c->slot->kind != SLOT_ENTRY || c->slot->gone)
            continue;
        if (prepare(transaction, c->slot) != 0)
            return -1;
    }
    return own_calls_settle(transaction);
}

static bool has_entries(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        if (c->slot->kind == SLOT_ENTRY)
            return true;
    return false;
}

int entries_prepare(struct transaction *transaction)
{
    if (!has_entries(transaction))
        return 0;
    if (pins_take(transaction) != 0)
        return -1;
    room_begin();
    if (objects_locked(prepare_all, transaction) != 0 && transaction->why->count == 0)
        refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    room_end();
    return transaction->why->count ? -1 : 0;
}

/* fork() waits for the commit section's end, no longer than a second: both have to fit in. */
enum { ARM_MS_MAX = 600, DISARM_MS_MAX = 300 };

static uint64_t arm_until(const struct transaction *transaction)
{
    uint64_t now = engine_now_ms();
    uint64_t wait = transaction->timeout < ARM_MS_MAX ? transaction->timeout : ARM_MS_MAX;

    return now + wait < transaction->deadline ? now + wait : transaction->deadline;
}

int entries_arm(struct transaction *transaction)
{
    uint64_t until = arm_until(transaction);

    for (struct change *c = transaction->changes; c; c = c->next) {
        struct site_problem why = {0};

        if (c->slot->kind != SLOT_ENTRY || c->slot->gone || site_is_armed(c->slot->site))
            continue;
        if (site_arm(c->slot->site, until, &why) != 0) {
            refuse(transaction->why, (enum error_code)why.code, "%s: %s", c->slot->name, why.text);
            entries_disarm(transaction);
            return -1;
        }
        c->armed = true;
    }
    return 0;
}

void entries_disarm(struct transaction *transaction)
{
    uint64_t until = engine_now_ms() + DISARM_MS_MAX;

    for (struct change *c = transaction->changes; c; c = c->next) {
        struct site_problem why = {0};

        if (!c->armed)
            continue;
        c->armed = false;
        if (site_disarm(c->slot->site, until, &why) != 0)
            shim()->log(LOG_ERROR, "%s: its entry stays armed, without effect: %s", c->slot->name,
                        why.text);
    }
}

void entries_settle(void)
{
    for (struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot->kind == SLOT_ENTRY && slot->word_count > 0 && !slot->entered && !slot->unseen)
            slot->entered = site_settle(slot->site);
}
