/* mend.c - see mend.h. */
#include "loader/transaction/mend.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/services.h"
#include "loader/objects/object.h"
#include "loader/text/damage.h"
#include "loader/text/site.h"
#include "loader/transaction/arming.h"

/* Entries are armed again in sections. Forks of the host run between two sections. */
enum { SECTION_MS = 2, MEND_MS = 600, WARNED_OF = 3 };

static const struct damage *damage_of_slot(const struct slot *slot)
{
    return !slot->gone && site_is_armed(slot->site) ? site_damage(slot->site) : NULL;
}

/* ---- repair by a reload ---- */

/* The damaged slots. An object with an armed entry is pinned, so its slots stay. */
struct mending {
    struct mend *mend;
    struct slot **slots;
    size_t count, next;
    struct site_problem why; /* the reason for slots[next] */
};

static int find_damaged(void *context)
{
    struct mending *mending = context;
    size_t damaged = damage_look();

    if (damaged == 0)
        return 0;
    mending->slots = calloc(damaged, sizeof(struct slot *));
    mending->mend->repaired = calloc(damaged, sizeof(struct slot *));
    if (!mending->slots || !mending->mend->repaired)
        return -1;
    for (struct slot *slot = slots_of(SLOT_ENTRY); slot && mending->count < damaged;
         slot = slot->next_of_kind)
        if (damage_of_slot(slot))
            mending->slots[mending->count++] = slot;
    return 0;
}

static int mend_section(void *context)
{
    struct mending *mending = context;
    uint64_t until = clock_ms() + SECTION_MS;

    mending->why.code = 0;
    while (mending->next < mending->count && clock_ms() < until) {
        struct slot *slot = mending->slots[mending->next];

        if (site_mend(slot->site, until, &mending->why) != 0)
            return -1;
        mending->mend->repaired[mending->mend->count++] = slot;
        mending->next++;
    }
    return 0;
}

static void mend_found(struct mending *mending)
{
    uint64_t until = clock_ms() + MEND_MS;

    shim()->arming(true);
    while (mending->next < mending->count) {
        int result;

        shim()->commit_begin();
        result = objects_locked(mend_section, mending);
        shim()->commit_end();
        if (result == 0 || (arming_may_pass(mending->why.code) && clock_ms() < until))
            continue;
        refuse(&mending->mend->why,
               mending->why.code ? (enum error_code)mending->why.code : HP_MEMORY, "%s: %s",
               mending->slots[mending->next]->name, mending->why.text);
        mending->next++;
    }
    shim()->arming(false);
}

int mend_all(struct mend *mend)
{
    struct mending mending = {.mend = mend};

    if (objects_locked(find_damaged, &mending) != 0)
        refuse(&mend->why, HP_MEMORY, "look at the process: no memory");
    else if (mending.count > 0)
        mend_found(&mending);
    free(mending.slots);
    return mend->why.count ? -1 : 0;
}

void mend_free(struct mend *mend)
{
    free(mend->repaired);
    refusal_clear(&mend->why);
}

/* ---- warnings of any other request ---- */

static int warn_of_damaged(void *context)
{
    struct transaction *transaction = context;
    size_t damaged = damage_look(), warned = 0;

    for (struct slot *slot = slots_of(SLOT_ENTRY); slot && warned < damaged;
         slot = slot->next_of_kind) {
        const struct damage *damage = damage_of_slot(slot);
        char text[200];

        if (!damage)
            continue;
        if (warned++ == WARNED_OF) {
            transaction_warn(transaction, "%zu more armed entries are damaged",
                             damaged - WARNED_OF);
            break;
        }
        damage_text(damage, text, sizeof(text));
        transaction_warn(transaction, "%s is damaged: %s", slot->name, text);
    }
    return 0;
}

void mend_warn(struct transaction *transaction)
{
    objects_locked(warn_of_damaged, transaction);
}
