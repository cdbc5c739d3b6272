/* entry_arm.c - see entry_arm.h. This file writes stubs, puts jumps in (site.h), and leads calls to the layers. */
#include "loader/slots/entry_arm.h"

#include "loader/slots/change.h"
#include "loader/slots/entry_report.h"
#include "loader/slots/keep_slot.h"
#include "loader/slots/module_state.h"
#include "loader/text/site.h"
#include "loader/text/site_place.h"

/* ---- prepare ---- */

static int refuse_site(const struct change *change, const struct site_problem *problem,
                       struct refusal *why)
{
    return refuse(why, (enum error_code)problem->code, "%s: %s", change->slot->name, problem->text);
}

static int prepare_site(const struct change *change, struct refusal *why)
{
    struct slot *slot = change->slot;
    struct site_problem problem = {0};
    struct word word = {.object = slot->object};

    if (site_prepare(slot->site, &problem) != 0)
        return refuse_site(change, &problem, why);
    if (slot->word_count > 0)
        return 0;
    word.address = site_word(slot->site);
    if (slot_add_word(slot, &word) != 0)
        return refuse(why, HP_MEMORY, "%s: no memory", slot->name);
    slot->base = slot->live = site_original(slot->site);
    return 0;
}

/* Make the thunks through which new layers are called. */
static int prepare_thunks(const struct change *change, struct refusal *why)
{
    for (size_t i = 0; i < change->layer_count; i++) {
        const struct layer *layer = &change->layers[i];
        const struct replacement *replacement;
        struct site_problem problem = {0};

        if (!layer->module || layer->module->live || layer->module->injection)
            continue;
        replacement = &layer->module->replacements[layer->replacement];
        if (site_keep(change->slot->site, replacement->function, &replacement->keep, &problem) != 0)
            return refuse_site(change, &problem, why);
    }
    return 0;
}

static int prepare(struct change *change, struct refusal *why)
{
    return prepare_site(change, why) != 0 ? -1 : prepare_thunks(change, why);
}

static int claim(struct change *change, struct refusal *why)
{
    struct site_problem problem = {0};

    return site_claim(change->slot->site, &problem) == 0 ? 0 : refuse_site(change, &problem, why);
}

static void release(struct change *change)
{
    site_release(change->slot->site);
}

/* ---- arm ---- */

static bool adds_a_layer(const struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++)
        if (change->layers[i].since.tv_sec == 0)
            return true;
    return false;
}

/* Return what arming has to do. If a layer is added to an armed entry, the entry is repaired or the change is refused.
 * A revert is a store through the word, whatever other tools have written to the entry. */
static enum arm_need arm_need(const struct change *change)
{
    const struct site *site = change->slot->site;

    if (site_is_armed(site))
        return adds_a_layer(change) ? ARM_AGAIN : ARM_NOTHING;
    return site_is_short(site) ? ARM_SHORT : ARM_LONG;
}

static void arm_sites_ahead(struct change *const *changes, size_t count)
{
    struct site *sites[ARM_AHEAD_MAX];

    for (size_t i = 0; i < count; i++)
        sites[i] = changes[i]->slot->site;
    sites_arm_ahead(sites, count);
}

static int arm(struct change *change, uint64_t until, struct site_problem *why)
{
    struct site *site = change->slot->site;

    if (site_is_armed(site))
        return site_mend(site, until, why);
    if (site_arm(site, until, why) != 0)
        return -1;
    change->armed = true;
    return 0;
}

static int disarm(struct change *change, uint64_t until, struct site_problem *why)
{
    if (site_disarm(change->slot->site, until, why) != 0)
        return -1;
    change->armed = false;
    return 0;
}

/* ---- commit ---- */

static bool entry_store(const struct change *change, const struct word *word, bool hits)
{
    (void)word;
    if (change->before == change->after)
        return false;
    site_switch(change->slot->site, change->after, hits);
    return hits;
}

/* Return the address that an injection passes its calls to: the function below, or its thunk. The injection's caller
 * relies on the registers that a keeping stub keeps, and so the function below must keep them, too. A replacement's own
 * call relies only on the ABI. */
static uintptr_t passes_to(const struct slot *slot, uintptr_t below)
{
    return site_way(slot->site, below);
}

const struct slot_ops entry_ops = {.kind = SLOT_ENTRY,
                                   .by_place = true,
                                   .plan = keep_plan,
                                   .claim = claim,
                                   .prepare = prepare,
                                   .release = release,
                                   .arm_need = arm_need,
                                   .arm_ahead = arm_sites_ahead,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .store = entry_store,
                                   .passes_to = passes_to,
                                   .damage = entry_damage,
                                   .report = entry_report};

/* ---- hits ---- */

void entries_read_hits(void)
{
    for (struct slot *slot = slots_of(SLOT_ENTRY); slot; slot = slot->next_of_kind)
        if (slot->word_count > 0 && !slot->hit && !slot->no_hits)
            slot->hit = site_take_hit(slot->site);
}
