/*
 * entry_arm.c - entry slots made ready and armed: stubs written, and the jumps put in; see entry.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/services.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "base/text.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/slots/entry.h"
#include "loader/text/near_alloc.h"
#include "loader/text/site.h"
#include "loader/text/site_place.h"
#include "loader/text/text_poke.h"
#include "loader/transaction/pin.h"

/* ---- arming ---- */

static int prepare(struct transaction *transaction, struct slot *slot)
{
    struct site_problem why = {0};
    struct word word = {.object = slot->object};

    if (site_prepare(slot->site, &why) != 0)
        return refuse(transaction->why, (enum error_code)why.code, "%s: %s", slot->name, why.text);
    if (slot->word_count > 0)
        return 0;
    word.address = site_word(slot->site);
    if (slot_add_word(slot, &word) != 0)
        return refuse(transaction->why, HP_MEMORY, "%s: no memory", slot->name);
    slot->base = slot->live = site_original(slot->site);
    return 0;
}

/* The ways in which new layers are called. */
static int prepare_ways(struct transaction *transaction, const struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++) {
        const struct layer *layer = &change->layers[i];
        const struct module_entry *entry;
        struct site_problem why = {0};

        if (!layer->module || layer->module->live || layer->module->fault)
            continue;
        entry = &layer->module->entries[layer->entry];
        if (site_keep(change->slot->site, entry->function, &entry->keep, &why) != 0)
            return refuse(transaction->why, (enum error_code)why.code, "%s: %s", change->slot->name,
                          why.text);
    }
    return 0;
}

static int prepare_all(void *context)
{
    struct transaction *transaction = context;

    for (struct change *c = transaction->changes; c; c = c->next) {
        if (c->slot->kind != SLOT_ENTRY || c->slot->gone)
            continue;
        if (prepare(transaction, c->slot) != 0 || prepare_ways(transaction, c) != 0)
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
    maps_keep(); /* pads are asked about, which lie in code that stays as it is */
    near_alloc_begin();
    maps_keep();
    if (objects_locked(prepare_all, transaction) != 0 && transaction->why->count == 0)
        refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    maps_forget();
    near_alloc_end();
    maps_forget();
    return transaction->why->count ? -1 : 0;
}

static void release_all(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        if (c->slot->kind == SLOT_ENTRY && !c->slot->gone)
            site_release(c->slot->site);
}

static int release_locked(void *context)
{
    release_all(context);
    return 0;
}

void entries_release(struct transaction *transaction)
{
    if (has_entries(transaction))
        objects_locked(release_locked, transaction);
}

int entries_try(struct transaction *transaction)
{
    struct site_problem why = {0};
    int result = 0;

    for (struct change *c = transaction->changes; c; c = c->next)
        if (c->slot->kind == SLOT_ENTRY && !c->slot->gone && site_claim(c->slot->site, &why) != 0)
            result = refuse(transaction->why, (enum error_code)why.code, "%s: %s", c->slot->name,
                            why.text);
    release_all(transaction);
    return result;
}

/*
 * Entries are armed and disarmed in sections of SECTION_MS: between them forks of the host go on, which
 * wait for a section's end. What fails because of threads that are somewhere, or block signals, for a
 * moment is tried again in a later section, until the request's timeout.
 */
enum { SECTION_MS = 2, PAUSE_MS = 1, DISARM_MS = 300, AHEAD = 128 };

/*
 * Short jumps wait for no thread and hardly ever fail. Up to so many are left for the commit itself, so
 * that a transaction that is refused before it has not written their pads, which must stay once a thread
 * may have come to them.
 */
enum { SHORT_AT_COMMIT = 64 };

struct arming {
    struct transaction *transaction;
    struct change *next;  /* from here on nothing is done yet */
    struct change *ahead; /* from here on nothing is done ahead either */
    bool out;             /* they are disarmed */
    bool without_short;
    struct site_problem why;
};

/* Not nanosleep(3): the host's functions are patched as well. */
static void pause_until(uint64_t until)
{
    static const uint32_t never;
    struct timespec limit = clock_spec(until);

    sys_futex_wait(&never, 0, &limit);
}

static uint64_t arm_until(const struct transaction *transaction)
{
    uint64_t until = clock_ms() + transaction->timeout;

    return until < transaction->deadline ? until : transaction->deadline;
}

static bool adds_a_layer(const struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++)
        if (change->layers[i].since.tv_sec == 0)
            return true;
    return false;
}

/* At an armed entry a layer that is added takes effect, or is refused; a revert is a store through the
 * word, whatever others have written there. */
static bool needs(const struct arming *arming, const struct change *change)
{
    if (change->slot->kind != SLOT_ENTRY)
        return false;
    if (arming->out)
        return change->armed;
    if (change->slot->gone)
        return false;
    if (site_is_armed(change->slot->site))
        return adds_a_layer(change);
    return !(arming->without_short && site_is_short(change->slot->site));
}

static size_t count_short(const struct transaction *transaction)
{
    size_t count = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        count += c->slot->kind == SLOT_ENTRY && !c->slot->gone && !site_is_armed(c->slot->site) &&
                 site_is_short(c->slot->site);
    return count;
}

static int arm_one(struct arming *arming, struct change *change, uint64_t until)
{
    struct site *site = change->slot->site;
    int result;

    if (!arming->out && site_is_armed(site))
        return site_mend(site, until, &arming->why);
    result =
        arming->out ? site_disarm(site, until, &arming->why) : site_arm(site, until, &arming->why);
    if (result == 0)
        change->armed = !arming->out;
    return result;
}

/* From arming->next on, for AHEAD of them. */
static void arm_ahead(struct arming *arming)
{
    struct site *sites[AHEAD];
    size_t count = 0;
    struct change *c = arming->next;

    for (; c && count < AHEAD; c = c->next)
        if (needs(arming, c) && !site_is_armed(c->slot->site))
            sites[count++] = c->slot->site;
    sites_arm_ahead(sites, count);
    arming->ahead = c;
}

/* As many as there is time for. */
static int section(void *context)
{
    struct arming *arming = context;
    uint64_t until = clock_ms() + SECTION_MS;
    int result = 0;

    arming->why.code = 0;
    text_poke_hold();
    while (arming->next && result == 0 && clock_ms() < until) {
        if (!arming->out && arming->next == arming->ahead)
            arm_ahead(arming);
        if (needs(arming, arming->next))
            result = arm_one(arming, arming->next, until);
        if (result == 0)
            arming->next = arming->next->next;
    }
    text_poke_release();
    return result;
}

static bool may_pass(const struct site_problem *why)
{
    return why->code == HP_SIGTRAP_BLOCKED || why->code == HP_TIMEOUT;
}

/* 0; -1: arming->next is the one that could not be, for arming->why. */
static int arm_until_done(struct arming *arming, uint64_t until)
{
    int result = 0;

    while (arming->next) {
        shim()->commit_begin();
        result = objects_locked(section, arming);
        shim()->commit_end();
        if (result != 0 && (!may_pass(&arming->why) || clock_ms() >= until))
            break;
        if (result != 0)
            pause_until(clock_ms() + PAUSE_MS);
    }
    return arming->next ? -1 : 0;
}

int entries_arm(struct transaction *transaction)
{
    struct arming arming = {
        .transaction = transaction, .next = transaction->changes, .ahead = transaction->changes};
    int result;

    if (!has_entries(transaction))
        return 0;
    arming.without_short = count_short(transaction) <= SHORT_AT_COMMIT;
    shim()->arming(true);
    result = arm_until_done(&arming, arm_until(transaction));
    shim()->arming(false);
    if (result == 0)
        return 0;
    if (arming.why.code)
        refuse(transaction->why, (enum error_code)arming.why.code, "%s: %s",
               arming.next->slot->name, arming.why.text);
    entries_disarm(transaction);
    return -1;
}

int entries_arm_rest(struct transaction *transaction)
{
    struct arming arming = {.transaction = transaction, .next = transaction->changes};
    int result = 0;

    text_poke_hold();
    arm_ahead(&arming);
    for (struct change *c = transaction->changes; c && result == 0; c = c->next) {
        if (needs(&arming, c) && !site_is_armed(c->slot->site))
            result = arm_one(&arming, c, clock_ms());
        if (result != 0)
            refuse(transaction->why, (enum error_code)arming.why.code, "%s: %s", c->slot->name,
                   arming.why.text);
    }
    text_poke_release();
    return result;
}

void entries_disarm(struct transaction *transaction)
{
    struct arming arming = {.transaction = transaction, .next = transaction->changes, .out = true};

    shim()->arming(true);
    while (arm_until_done(&arming, clock_ms() + DISARM_MS) != 0) {
        shim()->log(LOG_ERROR, "%s: its entry stays armed, without effect: %s",
                    arming.next->slot->name, arming.why.text);
        arming.next->armed = false;
        arming.next = arming.next->next;
    }
    shim()->arming(false);
}

void entries_settle(void)
{
    for (struct slot *slot = slots_of(SLOT_ENTRY); slot; slot = slot->next_of_kind)
        if (slot->word_count > 0 && !slot->entered && !slot->unseen)
            slot->entered = site_settle(slot->site);
}
