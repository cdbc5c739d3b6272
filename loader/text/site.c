/* site.c - see site.h. */
#include "loader/text/site.h"

#include <stddef.h>
#include <string.h>

#include "base/refusal.h"
#include "base/sys.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/objects/object.h"
#include "loader/text/entry_bytes.h"
#include "loader/text/near_alloc.h"
#include "loader/text/short_patch.h"
#include "loader/text/site_problem.h"
#include "loader/text/site_state.h"
#include "loader/text/text_poke.h"

/* ---- registers that callers rely on ---- */

int site_keep(struct site *site, uintptr_t function, const struct keep *keep,
              struct site_problem *why)
{
    int error = keeper_make(&site->keepers, site->prologue.jump, function, keep);

    return error == 0 ? 0 : site_refuse_place(why, error);
}

uintptr_t site_way(const struct site *site, uintptr_t function)
{
    return keeper_way(site->keepers, function);
}

const struct keep *site_keeps(const struct site *site, uintptr_t function)
{
    return keeper_keep(site->keepers, function);
}

/* ---- arming ---- */

/* Watch the bytes that arming is about to write. Return 0, or -1 if there is no memory. */
static int watch_short(struct site *site)
{
    struct damage_piece entry = {.at = site->prologue.jump, .size = ARCH_SHORT_BYTES};
    struct damage_piece pad = {.at = site->prologue.pad, .size = ARCH_LONG_BYTES};

    arch_short_bytes(&site->prologue, entry.written);
    memcpy(entry.original, site->prologue.bytes, ARCH_SHORT_BYTES);
    memcpy(pad.written, site->patch.jump, ARCH_LONG_BYTES);
    memcpy(pad.original, site->pad, ARCH_LONG_BYTES);
    if (damage_watch(&site->damage, &entry) == 0 && damage_watch(&site->damage, &pad) == 0)
        return 0;
    damage_unwatch(&site->damage);
    return -1;
}

static int watch_long(struct site *site)
{
    const struct text_patch *patch = &site->patch;
    struct damage_piece piece = {.at = site->prologue.jump, .size = patch->jump_size};

    memcpy(piece.written, patch->jump, patch->jump_size);
    memcpy(piece.original, site->prologue.bytes, patch->jump_size);
    return damage_watch(&site->damage, &piece);
}

/* The site that is being armed or disarmed. A child that is forked at that time repairs its bytes. */
static struct site *under_way;

static int put_in(struct site *site, uint64_t until, struct site_problem *why)
{
    int error = 0;

    /* A short jump needs no trap, unless a uprobe is set there and removed. */
    if (!site_has_pad(site) || site->faults || site->restored.address)
        error = trap_install(arch_stub_faults(&site->prologue) || site->faults);
    if (error != 0 && !site_has_pad(site))
        return site_refuse(why, HP_STORE, "take SIGTRAP or SIGILL: %s", sys_error(error));
    if ((site_has_pad(site) ? watch_short(site) : watch_long(site)) != 0)
        return site_refuse(why, HP_MEMORY, "no memory to watch the function's first bytes");
    under_way = site;
    site->technique = site_has_pad(site) ? short_patch_in(&site->patch, why)
                                         : text_patch_in(&site->patch, until, why);
    site->armed = site->technique != NULL;
    under_way = NULL;
    if (!site->armed)
        damage_unwatch(&site->damage);
    return site->armed ? 0 : -1;
}

int site_arm(struct site *site, uint64_t until, struct site_problem *why)
{
    if (site->armed)
        return 0;
    return site_check(site, why) == 0 ? put_in(site, until, why) : -1;
}

int site_disarm(struct site *site, uint64_t until, struct site_problem *why)
{
    bool out;

    if (!site->armed)
        return 0;
    under_way = site;
    out = (site_has_pad(site) ? short_patch_out(&site->patch, why)
                              : text_patch_out(&site->patch, until, why)) != NULL;
    site->armed = !out;
    under_way = NULL;
    if (out)
        damage_unwatch(&site->damage);
    return out ? 0 : -1;
}

/* ---- bytes that other tools write ---- */

static bool pad_holds(const struct site *site, const uint8_t *bytes)
{
    return memcmp((const void *)(uintptr_t)site->prologue.pad, bytes, ARCH_LONG_BYTES) == 0;
}

/* Check the pad's bytes. If the site was armed before, the pad still holds the long jump. */
static int check_pad(const struct site *site, struct site_problem *why)
{
    if (!site_claims_pad(site) || pad_holds(site, site->pad) || pad_holds(site, site->patch.jump))
        return 0;
    return entry_bytes_check(site->pad, site->prologue.pad, ARCH_LONG_BYTES, why);
}

int site_check(struct site *site, struct site_problem *why)
{
    const struct arch_prologue *p = &site->prologue;

    if (!site->armed)
        return entry_bytes_check(p->bytes, p->jump, p->length, why) == 0 ? check_pad(site, why)
                                                                         : -1;
    if (damage_look_at(&site->damage) <= ARCH_FOREIGN_ORIGINAL)
        return 0;
    return entry_bytes_refuse_damage(&site->damage, why);
}

/* Write the pads. A pad that cannot be written, or whose bytes have changed, is refused later, when the site is
 * armed. */
void sites_arm_ahead(struct site *const *sites, size_t count)
{
    struct site_problem ignored;
    bool written = false;

    for (size_t i = 0; i < count; i++)
        if (!sites[i]->armed && site_has_pad(sites[i]) && site_check(sites[i], &ignored) == 0)
            written |= short_patch_ahead(&sites[i]->patch) == 0;
    if (written)
        text_poke_sync();
}

/* Write the jump's first byte again. A thread at the entry sees the original byte or the jump's first byte, and both
 * lead on. */
static int mend_first_byte(const struct site *site, struct site_problem *why)
{
    const struct damage_piece *piece = &site->damage.piece;
    struct text_poke poke;
    int error = text_poke_open(&poke, piece->at, 1, site->patch.protection, false);

    if (error == 0) {
        error = text_poke_byte(&poke, piece->at, piece->written[0]);
        text_poke_close(&poke);
        text_poke_sync();
    }
    return error == 0
               ? 0
               : site_refuse(why, HP_STORE, "write the function's code: %s", sys_error(error));
}

int site_mend(struct site *site, uint64_t until, struct site_problem *why)
{
    if (site_check(site, why) != 0)
        return -1;
    if (!site->armed || site->damage.kind == ARCH_FOREIGN_NONE)
        return 0;
    if (damage_is_first_byte(&site->damage))
        return mend_first_byte(site, why);
    if (site_has_pad(site)) /* the pad is written again only when nothing leads to it */
        return site_disarm(site, until, why) == 0 ? put_in(site, until, why) : -1;
    damage_unwatch(&site->damage);
    site->armed = false;
    return put_in(site, until, why);
}

bool site_survives_restore(const struct site *site)
{
    return site->survives;
}

const struct damage *site_damage(const struct site *site)
{
    return site->damage.kind == ARCH_FOREIGN_NONE ? NULL : &site->damage;
}

bool site_is_short(const struct site *site)
{
    return site_has_pad(site);
}

bool site_is_armed(const struct site *site)
{
    return site->armed;
}

uintptr_t *site_word(struct site *site)
{
    return &site->words->word;
}

uintptr_t site_original(const struct site *site)
{
    return site->original;
}

const char *site_technique(const struct site *site)
{
    return site->technique ? site->technique : site->expected;
}

/* Return a hash (FNV-1a by words) of all members before `traps`. A member that is added there is included. */
uint64_t site_stamp(const struct site *site)
{
    const unsigned char *from = (const unsigned char *)site;
    uint64_t stamp = 14695981039346656037u, word;

    for (size_t at = 0; at + sizeof(word) <= offsetof(struct site, traps); at += sizeof(word)) {
        memcpy(&word, from + at, sizeof(word));
        stamp = (stamp ^ word) * 1099511628211u;
    }
    return stamp;
}

void site_switch(struct site *site, uintptr_t target, bool hits)
{
    struct words *words = site->words;

    target = site_way(site, target);
    /* A thread in the hit stub reads the new target, too. */
    __atomic_store_n(&words->target, target, __ATOMIC_RELEASE);
    __atomic_store_n(&words->hit, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&words->word, hits ? site->hit_stub : target, __ATOMIC_RELEASE);
}

bool site_take_hit(struct site *site)
{
    struct words *words = site->words;

    if (!__atomic_load_n(&words->hit, __ATOMIC_ACQUIRE))
        return false;
    __atomic_store_n(&words->word, words->target, __ATOMIC_RELEASE);
    return true;
}

/* ---- original bytes ---- */

struct restoring {
    struct span span;
    uint8_t *copy;
};

static void restore_bytes(const struct restoring *restoring, uintptr_t at, const uint8_t *bytes,
                          size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at + i >= restoring->span.begin && at + i < restoring->span.end)
            restoring->copy[at + i - restoring->span.begin] = bytes[i];
}

static bool restore_site(const struct site *site, const void *context)
{
    const struct restoring *restoring = context;

    if (site->armed)
        restore_bytes(restoring, site->prologue.jump, site->prologue.bytes, site->prologue.length);
    if (site_claims_pad(site))
        restore_bytes(restoring, site->prologue.pad, site->pad, sizeof(site->pad));
    return true;
}

void sites_restore(uintptr_t address, uint8_t *copy, size_t size)
{
    struct restoring restoring = {{address, address + size}, copy};

    sites_each_near(restoring.span, restore_site, &restoring);
}

struct written {
    struct span span;
    void (*each)(uintptr_t at, size_t size, void *context);
    void *context;
};

static bool give_written(const struct site *site, const void *context)
{
    const struct written *written = context;

    if (site->prologue.entry < written->span.begin || site->prologue.entry >= written->span.end)
        return true;
    if (site->armed)
        written->each(site->prologue.jump, site->prologue.length, written->context);
    if (site_claims_pad(site))
        written->each(site->prologue.pad, sizeof(site->pad), written->context);
    return true;
}

void sites_each_written(uintptr_t begin, uintptr_t end,
                        void (*each)(uintptr_t at, size_t size, void *context), void *context)
{
    const struct written written = {{begin, end}, each, context};

    sites_each_near(written.span, give_written, &written);
}

static void drop_of_object(struct object *object)
{
    for (size_t i = 0; i < SITE_BUCKETS; i++)
        for (struct site *site = sites_in_bucket(i); site; site = site->next)
            if (site->prologue.entry >= object->begin && site->prologue.entry < object->end)
                site_drop(site, true);
}

void sites_register(void)
{
    static struct object_callbacks callbacks = {.gone = drop_of_object};

    objects_register(&callbacks);
}

/* Take the signals again. The host may have set an action of its own since. */
void sites_deferred(void)
{
    for (size_t i = 0; i < SITE_BUCKETS; i++)
        for (const struct site *site = sites_in_bucket(i); site; site = site->next)
            if (site->armed && !site_has_pad(site)) {
                trap_install(false);
                return;
            }
}

/* Repair the site in the child. Code, stubs and words are private memory, so the child has its own; it has no other
 * thread. */
void sites_after_fork(void)
{
    struct site *site = under_way;
    uintptr_t jump;
    struct text_poke poke;

    text_poke_after_fork();
    near_alloc_after_fork();
    maps_after_fork();
    if (!site)
        return;
    under_way = NULL;
    site->armed = false;
    damage_unwatch(&site->damage);
    jump = site->prologue.jump;
    if (text_poke_open(&poke, jump, site->prologue.length, site->patch.protection, true) != 0)
        return;
    text_poke_bytes(&poke, jump, site->prologue.bytes, site->prologue.length);
    text_poke_close(&poke);
    if (!site_has_pad(site) || text_poke_open(&poke, site->prologue.pad, sizeof(site->pad),
                                              site->patch.protection, true) != 0)
        return;
    text_poke_bytes(&poke, site->prologue.pad, site->pad, sizeof(site->pad));
    text_poke_close(&poke);
}
