/* site_place.c - see site_place.h. */
#include "loader/text/site_place.h"

#include <errno.h>
#include <string.h>

#include "arch/arch.h"
#include "base/refusal.h"
#include "base/sys.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/text/near_alloc.h"
#include "loader/text/short_patch.h"
#include "loader/text/site_find.h"
#include "loader/text/site_problem.h"
#include "loader/text/site_state.h"

static uint64_t below(uint64_t at)
{
    return at > ARCH_REACH ? at - ARCH_REACH : 0;
}

static bool next_stub(const void *context, uint64_t from, uint64_t *at)
{
    return arch_stub_from(context, from, at);
}

static struct near_wish wish_stub(const struct arch_prologue *prologue)
{
    struct arch_window window;

    arch_stub_window(prologue, &window);
    return (struct near_wish){.kind = NEAR_CODE,
                              .size = ARCH_STUB_PLACE,
                              .low = window.low,
                              .high = window.high,
                              .near = prologue->jump,
                              .next = prologue->count > 1 || prologue->guarded ? next_stub : NULL,
                              .context = prologue};
}

/* Place the stub of a jump with traps at the boundaries. The prologue records which of the possible jumps was
 * chosen. */
static void place_punned(struct site *site, int *error)
{
    struct arch_prologue choices[ARCH_STUB_CHOICES];
    struct near_wish wishes[ARCH_STUB_CHOICES];
    struct arch_prologue choice = site->prologue;
    size_t count = 0, found;

    choice.trap = 0;
    arch_stub_guard(&choice);
    do {
        choices[count] = choice;
        wishes[count] = wish_stub(&choices[count]);
        count++;
    } while (count < ARCH_STUB_CHOICES && arch_stub_other(&choice));
    found = near_alloc_take_any(wishes, count, &site->stub, error);
    site->prologue = choices[found < count ? found : 0];
}

/* Return whether the pad's pages can be made writable together with the entry's. */
static bool is_like_entry(const struct site *site, uintptr_t pad)
{
    const uintptr_t page = ~UINT64_C(4095);
    struct mapping mapping;

    return ((pad & page) == (site->prologue.jump & page) &&
            ((pad + ARCH_LONG_BYTES - 1) & page) == (pad & page)) ||
           (maps_at(pad, &mapping) && mapping.protection == site->patch.protection &&
            !mapping.shared && mapping.end >= pad + ARCH_LONG_BYTES);
}

static bool is_free_pad(const struct site *site, uintptr_t pad)
{
    return sites_leave_free(site->prologue.entry, span_of_pad(pad)) && is_like_entry(site, pad);
}

/* How well the entry survives a uprobe with this pad. */
enum rank { NOT_FREE, NOT_SAFE, TRAPS, WHOLE };

/* Return the pad's rank. The best rank is WHOLE: the old instruction is whole when its first byte is restored. */
static enum rank rank_of(const struct site *site, uintptr_t pad)
{
    struct arch_prologue prologue = site->by_short.prologue;
    uint8_t jump[ARCH_SHORT_BYTES], trap;
    bool faults;

    prologue.pad = pad;
    arch_short_bytes(&prologue, jump);
    if (!arch_survives_restore(&prologue, jump, sizeof(jump), &trap, &faults))
        return NOT_SAFE;
    return trap || faults ? TRAPS : WHOLE;
}

/*
 * Return five free bytes of the site's padding, with their rank in `best`; 0 if none are left. Among places of equal
 * rank, the last place of the first gap is taken. A function of one byte may need the beginning of that gap for a long
 * jump.
 */
static uintptr_t find_pad(const struct site *site, enum rank *best)
{
    uintptr_t entry = site->prologue.entry, found = 0;

    *best = NOT_FREE;
    for (size_t i = 0; i < site->padding.count && *best < WHOLE; i++) {
        uintptr_t begin = entry + (uintptr_t)(intptr_t)site->padding.gaps[i].begin;
        uintptr_t end = entry + (uintptr_t)(intptr_t)site->padding.gaps[i].end;

        for (uintptr_t at = end - ARCH_LONG_BYTES; at >= begin && *best < WHOLE; at--) {
            enum rank rank = rank_of(site, at);

            if (rank <= *best || !is_free_pad(site, at))
                continue;
            found = at;
            *best = rank;
        }
    }
    return found;
}

/* Return whether one store puts a long jump over one instruction, and a uprobe leaves the old code. Such a jump needs
 * no traps, like a short jump. */
static bool is_stored_and_safe(const struct site *site)
{
    struct arch_prologue prologue = site->by_long.prologue;

    return site->by_long.possible && arch_stored_whole(&prologue) && arch_stub_guard(&prologue) &&
           short_patch_stores(prologue.jump, site->patch.protection);
}

/* Choose a pad. Return false if there is no pad, or if a long jump is better. */
static bool choose_pad(const struct site *site, struct arch_prologue *taken)
{
    enum rank rank;

    *taken = site->by_short.prologue;
    if (!site->by_short.possible || !short_patch_possible(taken->jump, site->patch.protection))
        return false;
    taken->pad = find_pad(site, &rank);
    return taken->pad && (rank > NOT_SAFE || !is_stored_and_safe(site));
}

static void take_pad(struct site *site, const struct arch_prologue *taken)
{
    site->prologue = *taken;
    site->wide = site->by_short.wide;
    memcpy(site->pad, (const void *)(uintptr_t)taken->pad, sizeof(site->pad));
}

static int refuse_pad(struct site_problem *why)
{
    return site_refuse(why, HP_NOT_PATCHABLE,
                       "the padding near its entry, which it needs, is taken by other entries");
}

/* Place a short jump to a pad, and a long jump from the pad to the stub. Return false if that is not possible. */
static bool place_short(struct site *site)
{
    struct arch_prologue taken;
    struct near_wish wish;
    int error;

    if (!choose_pad(site, &taken))
        return false;
    wish = wish_stub(&taken);
    site->stub = near_alloc_take(&wish, &error);
    if (!site->stub)
        return false;
    take_pad(site, &taken);
    site->patch.punned = true;
    site->patch.jump_size = arch_jump_bytes(&taken, site->stub, site->patch.jump);
    return true;
}

/* Place the stub. The choices in this order: a short jump; a jump with traps at the boundaries; if such a stub has no
 * place, any jump. With the last choice, threads are seen outside or are asked to leave. */
static int place_stub(struct site *site, struct site_problem *why)
{
    struct arch_prologue single = site->by_long.prologue;
    const struct arch_prologue *taken = &site->prologue;
    int error = 0;

    if (place_short(site))
        return 0;
    if (!site->by_long.possible)
        return refuse_pad(why);
    site_take(site, &site->by_long);
    place_punned(site, &error);
    site->patch.punned = true;
    if (!site->stub) {
        struct near_wish wish;

        site->prologue.guarded = single.guarded = false;
        single.count = 1;
        single.start[1] = single.length;
        taken = &single;
        wish = wish_stub(taken);
        site->stub = near_alloc_take(&wish, &error);
        site->patch.punned = false;
    }
    if (!site->stub)
        return site_refuse_place(why, error);
    site->patch.jump_size = arch_jump_bytes(taken, site->stub, site->patch.jump);
    return 0;
}

static int place_words(struct site *site, struct site_problem *why)
{
    struct near_wish wish = {.kind = NEAR_WORDS,
                             .size = sizeof(struct words),
                             .low = below(site->stub),
                             .high = site->stub + ARCH_REACH,
                             .near = site->prologue.jump};
    uint64_t low = below(site->prologue.jump), high = site->prologue.jump + ARCH_REACH;
    int error;

    /* The hit stub lies near the function and reads the words, too. */
    if (low > wish.low)
        wish.low = low;
    if (high < wish.high)
        wish.high = high;
    site->words = (struct words *)near_alloc_take(&wish, &error);
    return site->words ? 0 : site_refuse_place(why, error);
}

/* Place the stub for a jump that holds threads. If no such stub has a place, text_patch.c uses another way. */
static void place_hold(struct site *site)
{
    struct arch_prologue choices[ARCH_STUB_CHOICES], choice = site->prologue;
    struct near_wish wishes[ARCH_STUB_CHOICES];
    uint64_t words = (uintptr_t)site->words;
    size_t count = 0, found;
    int error;

    if (!arch_hold_first(&choice))
        return;
    do {
        choices[count] = choice;
        wishes[count] = wish_stub(&choices[count]);
        if (wishes[count].low < below(words))
            wishes[count].low = below(words);
        if (wishes[count].high > words + ARCH_REACH)
            wishes[count].high = words + ARCH_REACH;
        count++;
    } while (count < ARCH_STUB_CHOICES && arch_stub_other(&choice));
    found = near_alloc_take_any(wishes, count, &site->hold, &error);
    site->patch.held = found < count && site->hold;
    if (site->patch.held)
        arch_jump_bytes(&choices[found], site->hold, site->patch.hold);
}

static int write_hold(struct site *site)
{
    uint8_t stub[ARCH_STUB_BYTES];
    size_t size = arch_stub(site->hold, (uintptr_t)&site->words->word, stub, ARCH_STUB_PLACE);

    return size == 0 ? -ERANGE : near_alloc_write(site->hold, stub, size);
}

static int place_hit_stub(struct site *site, struct site_problem *why)
{
    uint64_t words = (uintptr_t)site->words;
    struct near_wish wish = {.kind = NEAR_CODE,
                             .size = ARCH_HIT_PLACE,
                             .low = below(words),
                             .high = words + ARCH_REACH,
                             .near = site->prologue.jump};
    int error;

    site->hit_stub = near_alloc_take(&wish, &error);
    return site->hit_stub ? 0 : site_refuse_place(why, error);
}

/* Place the relocated prologue. Its length depends on its address, so it is first written for a place close to the
 * function. */
static int place_original(struct site *site, struct site_problem *why)
{
    const struct arch_prologue *p = &site->prologue;
    uint8_t code[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    struct near_wish wish = {.kind = NEAR_CODE,
                             .size = sizeof(code),
                             .low = below(p->jump),
                             .high = p->jump + ARCH_REACH,
                             .near = p->jump};
    ssize_t length;
    int error;

    /* Take memory for the longest version; the rest is given back. */
    site->original = near_alloc_take(&wish, &error);
    if (!site->original)
        return site_refuse_place(why, error);
    site->original_size = sizeof(code);
    length = arch_move(&site->wide, site->original, arch_shadow_stack(), code, sizeof(code), map);
    if (length < 0)
        length = arch_move(p, site->original, arch_shadow_stack(), code, sizeof(code), map);
    if (length < 0)
        return site_refuse_arch(why, ARCH_NOT_MOVABLE);
    near_alloc_give_back(site->original + (size_t)length, sizeof(code) - (size_t)length);
    site->original_size = (size_t)length;
    error = near_alloc_write(site->original, code, (size_t)length);
    if (error != 0)
        return site_refuse(why, HP_STORE, "write a stub: %s", sys_error(error));
    for (unsigned i = 0; i < p->count; i++) {
        site->traps[i].address = p->jump + p->start[i];
        site->traps[i].relocated = site->original + map[i];
    }
    return 0;
}

/* Place the traps for a thread that meets the bytes that a uprobe leaves. The thread continues in the old code. */
static void place_restored(struct site *site)
{
    const struct arch_prologue *p = &site->prologue;
    uint8_t jump[ARCH_SHORT_BYTES], trap;

    if (site_has_pad(site)) {
        arch_short_bytes(p, jump);
        site->survives = arch_survives_restore(p, jump, sizeof(jump), &trap, &site->faults);
    } else {
        site->survives =
            arch_survives_restore(p, site->patch.jump, site->patch.jump_size, &trap, &site->faults);
    }
    site->survives |= p->jump != p->entry;
    site->restored.address = trap ? p->jump + trap : 0;
    site->restored.relocated = trap ? site->traps[0].relocated : 0;
}

static int write_stubs(struct site *site, struct site_problem *why)
{
    uint8_t stub[ARCH_STUB_BYTES], hit_stub[ARCH_STUB_BYTES];
    size_t stub_size = arch_stub(site->stub, (uintptr_t)&site->words->word, stub, ARCH_STUB_PLACE);
    size_t hit_stub_size = arch_stub_hit(site->hit_stub, (uintptr_t)&site->words->hit,
                                         (uintptr_t)&site->words->target, hit_stub, ARCH_HIT_PLACE);
    int error;

    if (stub_size == 0 || hit_stub_size == 0)
        return site_refuse_arch(why, ARCH_OUT_OF_REACH);
    error = near_alloc_write(site->stub, stub, stub_size);
    if (error == 0)
        error = near_alloc_write(site->hit_stub, hit_stub, hit_stub_size);
    if (error == 0 && site->patch.held)
        error = write_hold(site);
    return error == 0 ? 0 : site_refuse(why, HP_STORE, "write a stub: %s", sys_error(error));
}

static void give_places_back(struct site *site)
{
    near_alloc_give_back(site->stub, ARCH_STUB_PLACE);
    if (site->patch.held)
        near_alloc_give_back(site->hold, ARCH_STUB_PLACE);
    site->patch.held = false;
    near_alloc_give_back((uintptr_t)site->words, sizeof(*site->words));
    near_alloc_give_back(site->hit_stub, ARCH_HIT_PLACE);
    near_alloc_give_back(site->original, site->original_size);
    site->stub = site->hold = site->hit_stub = site->original = 0;
    site->words = NULL;
}

/* ---- pads that were released ---- */

/*
 * Claim padding again for a prepared site whose pad was released. The stub is in reach of any pad near the entry. The
 * traps that site_prepare() has added stay. If another pad needs other traps, the entry is not safe beside uprobes.
 */
static int claim_again(struct site *site, struct site_problem *why)
{
    uintptr_t trap_at = site->restored.address;
    struct arch_prologue taken = site->prologue;
    uint8_t jump[ARCH_SHORT_BYTES], trap;
    bool faults;
    enum rank rank;

    if (!is_free_pad(site, taken.pad))
        taken.pad = find_pad(site, &rank);
    if (!taken.pad)
        return refuse_pad(why);
    take_pad(site, &taken);
    site->patch.jump_size = arch_jump_bytes(&taken, site->stub, site->patch.jump);
    arch_short_bytes(&taken, jump);
    site->survives = arch_survives_restore(&taken, jump, sizeof(jump), &trap, &faults) &&
                     (!trap || trap_at == taken.jump + trap) && (!faults || site->faults);
    site->survives |= taken.jump != taken.entry;
    site->released = false;
    return 0;
}

int site_claim(struct site *site, struct site_problem *why)
{
    struct arch_prologue taken;

    if (site->prepared)
        return site->released ? claim_again(site, why) : 0;
    if (choose_pad(site, &taken)) {
        take_pad(site, &taken);
        return 0;
    }
    return site->by_long.possible ? 0 : refuse_pad(why);
}

void site_release(struct site *site)
{
    if (site->dropped || site->armed || site->technique || !site_has_pad(site))
        return;
    if (!site->prepared)
        site_take(site, site->by_long.possible ? &site->by_long : &site->by_short);
    else if (memcmp((const void *)(uintptr_t)site->prologue.pad, site->pad, sizeof(site->pad)) == 0)
        site->released = true;
}

int site_prepare(struct site *site, struct site_problem *why)
{
    if (site->prepared)
        return site_claim(site, why);
    if (place_stub(site, why) != 0 || place_words(site, why) != 0 ||
        place_hit_stub(site, why) != 0 || place_original(site, why) != 0) {
        give_places_back(site);
        return -1;
    }
    place_hold(site);
    if (write_stubs(site, why) != 0) {
        give_places_back(site);
        return -1;
    }
    site->words->hit = 0;
    site->words->target = site->original;
    __atomic_store_n(&site->words->word, site->original, __ATOMIC_RELEASE);
    site->prepared = true;
    place_restored(site);
    for (unsigned i = 0; i < site_trap_count(site); i++)
        trap_add(&site->traps[i]);
    if (site->restored.address)
        trap_add(&site->restored);
    return 0;
}
