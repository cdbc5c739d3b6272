/* site_state.c - see site_state.h. */
#include "loader/text/site_state.h"

static struct site *buckets[SITE_BUCKETS];

struct site **site_bucket(uintptr_t entry)
{
    return &buckets[(entry >> 4) % SITE_BUCKETS];
}

struct site *sites_in_bucket(size_t i)
{
    return buckets[i];
}

void site_drop(struct site *site, bool dropped)
{
    site->dropped = dropped;
    site->armed = false;
    damage_unwatch(&site->damage);
    for (unsigned i = 0; i < site_trap_count(site); i++) {
        uintptr_t address = dropped ? 0 : site->prologue.jump + site->prologue.start[i];

        __atomic_store_n(&site->traps[i].address, address, __ATOMIC_RELEASE);
    }
    if (site->restored.relocated)
        __atomic_store_n(&site->restored.address, dropped ? 0 : site->prologue.jump + 1,
                         __ATOMIC_RELEASE);
}

void site_take(struct site *site, const struct choice *choice)
{
    site->prologue = choice->prologue;
    site->wide = choice->wide;
}

bool sites_each_near(struct span span, bool (*each)(const struct site *site, const void *context),
                     const void *context)
{
    const uintptr_t reach = 128 + 2 * ARCH_PROLOGUE_BYTES;
    uintptr_t first = (span.begin - reach) >> 4, last = (span.end + reach) >> 4;

    if (last - first >= SITE_BUCKETS)
        last = first + SITE_BUCKETS - 1;
    for (uintptr_t at = first; at <= last; at++)
        for (const struct site *site = *site_bucket(at << 4); site; site = site->next)
            if (!site->dropped && !each(site, context))
                return false;
    return true;
}
