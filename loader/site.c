/* site.c - see site.h. */
#include "site.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "damage.h"
#include "entry_bytes.h"
#include "error.h"
#include "maps.h"
#include "near_memory.h"
#include "poke.h"
#include "short_swap.h"
#include "swap.h"
#include "sys.h"
#include "trap.h"

enum { BUCKETS = 8192, STUB_BYTES = 8, NOTING_BYTES = 24 };

#define REACH ((UINT64_C(1) << 31) - 0x10000)

/* What the stubs read and write, in a page of words. */
struct words {
    uintptr_t word;   /* where the stub leads: the target, or the noting stub */
    uintptr_t target; /* where the noting stub leads */
    uint8_t seen;
};

/* What may be done at an entry, until it is prepared. */
struct choice {
    struct arch_prologue prologue;
    struct arch_prologue wide; /* what is copied: more than is displaced */
    bool possible;
};

struct site {
    struct site *next;
    struct arch_prologue prologue;
    uint8_t pad[ARCH_LONG_BYTES]; /* what lay in the pad */
    struct arch_swap swap;
    bool dropped, prepared, armed;
    uintptr_t stub, noting, original;
    size_t original_size;
    struct words *words;
    struct keeper *keepers;
    const char *technique; /* how it was armed; NULL: not yet */
    const char *expected;
    bool survives;        /* one that finds it there goes on in the old code */
    bool faults;          /* by SIGILL */
    struct damage damage; /* while it is armed: what others made of its bytes */
    struct trap traps[ARCH_PROLOGUE_COUNT];
    struct trap restored;      /* on no boundary: met where the original first byte is back */
    struct arch_prologue wide; /* what is copied: more than is displaced */
    struct choice by_short, by_long;
    struct padding padding;
};

static struct site *buckets[BUCKETS];

int site_refuse(struct site_problem *why, int code, const char *format, ...)
{
    va_list arguments;

    why->code = code;
    why->arch = ARCH_OK;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof(why->text), format, arguments);
    va_end(arguments);
    return -1;
}

static int refuse_arch(struct site_problem *why, enum arch_problem problem)
{
    site_refuse(why, HP_NOT_PATCHABLE, "%s", arch_problem_text(problem));
    why->arch = problem;
    return -1;
}

static struct site **bucket_of(uintptr_t entry)
{
    return &buckets[(entry >> 4) % BUCKETS];
}

/* Reading what is executable alone would be a fault. */
static int check_readable(uintptr_t entry, size_t size, int *protection, struct site_problem *why)
{
    struct mapping mapping, last;

    if (!maps_at(entry, &mapping) ||
        (mapping.end < entry + size && !maps_at(entry + size - 1, &last)))
        return site_refuse(why, HP_NOT_PATCHABLE, "the function is not mapped, or /proc not there");
    if ((mapping.protection & (PROT_READ | PROT_EXEC)) != (PROT_READ | PROT_EXEC))
        return site_refuse(why, HP_NOT_PATCHABLE, "the function's pages are not readable code");
    if (mapping.end < entry + size && last.protection != mapping.protection)
        return site_refuse(why, HP_NOT_PATCHABLE,
                           "the function's pages differ in their protection");
    if (mapping.shared)
        return site_refuse(why, HP_NOT_PATCHABLE, "the function's pages are shared with others");
    *protection = mapping.protection;
    return 0;
}

static bool same_code(const struct arch_prologue *a, const struct arch_prologue *b)
{
    return a->jump == b->jump && a->length == b->length &&
           memcmp(a->bytes, b->bytes, a->length) == 0;
}

static struct site *site_new(uintptr_t entry)
{
    struct site *site = calloc(1, sizeof(*site)), **bucket = bucket_of(entry);

    if (!site)
        return NULL;
    site->prologue.entry = entry;
    site->swap.prologue = &site->prologue;
    site->next = *bucket;
    *bucket = site;
    return site;
}

static bool is_short(const struct site *site)
{
    return site->prologue.pad != 0;
}

/* A short jump is met by a trap only where a uprobe has put the original first byte before its rest. */
static unsigned trap_count(const struct site *site)
{
    if (!site->prepared)
        return 0;
    return is_short(site) ? site->faults : site->prologue.count;
}

static void drop(struct site *site, bool dropped)
{
    site->dropped = dropped;
    site->armed = false;
    damage_unwatch(&site->damage);
    for (unsigned i = 0; i < trap_count(site); i++) {
        uintptr_t address = dropped ? 0 : site->prologue.jump + site->prologue.start[i];

        __atomic_store_n(&site->traps[i].address, address, __ATOMIC_RELEASE);
    }
    if (site->restored.moved)
        __atomic_store_n(&site->restored.address, dropped ? 0 : site->prologue.jump + 1,
                         __ATOMIC_RELEASE);
}

struct span {
    uintptr_t begin, end;
};

static bool share(struct span a, struct span b)
{
    return a.begin < b.end && b.begin < a.end;
}

static struct span span_of(const struct arch_prologue *prologue)
{
    return (struct span){prologue->jump, prologue->jump + prologue->length};
}

static struct span pad_span(uintptr_t pad)
{
    return (struct span){pad, pad + ARCH_LONG_BYTES};
}

/* Those that are not dropped and whose bytes, or pad, may lie within the span. False once `each` says
 * so. */
static bool each_near(struct span span, bool (*each)(const struct site *site, const void *context),
                      const void *context)
{
    const uintptr_t reach = 128 + 2 * ARCH_PROLOGUE_BYTES;
    uintptr_t first = (span.begin - reach) >> 4, last = (span.end + reach) >> 4;

    if (last - first >= BUCKETS)
        last = first + BUCKETS - 1;
    for (uintptr_t at = first; at <= last; at++)
        for (const struct site *site = *bucket_of(at << 4); site; site = site->next)
            if (!site->dropped && !each(site, context))
                return false;
    return true;
}

struct overlap {
    uintptr_t entry;
    struct span span;
};

static bool is_apart(const struct site *site, const void *context)
{
    const struct overlap *overlap = context;

    if (site->prologue.entry == overlap->entry)
        return true;
    if (is_short(site) && share(pad_span(site->prologue.pad), overlap->span))
        return false;
    return !share(span_of(&site->prologue), overlap->span);
}

/* Somebody's debug information says that a function begins where another one's jump lies, or a pad. */
static bool overlaps_another(const struct arch_prologue *prologue)
{
    struct overlap overlap = {prologue->entry, span_of(prologue)};

    return !each_near(overlap.span, is_apart, &overlap);
}

static void judge(struct choice *choice, size_t size)
{
    choice->possible = !overlaps_another(&choice->prologue);
    choice->wide = choice->prologue;
    arch_prologue_widen((const uint8_t *)choice->prologue.entry, size, &choice->wide);
}

static void take(struct site *site, const struct choice *choice)
{
    site->prologue = choice->prologue;
    site->wide = choice->wide;
}

/* What can be done at the entry, in `site`, which is none yet. */
static int read_choices(struct site *site, uintptr_t entry, const struct function_code *code,
                        struct site_problem *why)
{
    const uint8_t *bytes = (const uint8_t *)entry;
    enum arch_problem problem;

    problem = arch_prologue_read_short(bytes, code->size, entry, &site->by_short.prologue);
    if (code->padding.count > 0 && problem == ARCH_OK)
        judge(&site->by_short, code->size);
    problem = arch_prologue_read(bytes, code->size, entry, &site->by_long.prologue);
    if (!code->no_long && problem == ARCH_OK)
        judge(&site->by_long, code->size);
    site->padding = code->padding;
    take(site, site->by_long.possible ? &site->by_long : &site->by_short);
    if (site->by_short.possible || site->by_long.possible)
        return 0;
    if (problem != ARCH_OK)
        return refuse_arch(why, problem);
    return site_refuse(why, HP_NOT_PATCHABLE,
                       "the first bytes of another function's slot lie there");
}

static bool is_in_padding(const struct site *site, const struct padding *padding)
{
    for (size_t i = 0; i < padding->count; i++)
        if (site->prologue.pad >=
                site->prologue.entry + (uintptr_t)(intptr_t)padding->gaps[i].begin &&
            site->prologue.pad + ARCH_LONG_BYTES <=
                site->prologue.entry + (uintptr_t)(intptr_t)padding->gaps[i].end)
            return true;
    return false;
}

/* A library that is loaded again where it was mapped before: its stubs are there still. */
static struct site *site_of_same_code(const struct site *read, const struct function_code *code)
{
    for (struct site *site = *bucket_of(read->prologue.entry); site; site = site->next) {
        const struct choice *now = is_short(site) ? &read->by_short : &read->by_long;

        if (site->prologue.entry != read->prologue.entry)
            continue;
        if (!site->prepared)
            return site;
        if (now->possible && same_code(&site->prologue, &now->prologue) &&
            same_code(&site->wide, &now->wide) &&
            (!is_short(site) || is_in_padding(site, &code->padding)))
            return site;
    }
    return NULL;
}

struct site *site_at(uintptr_t entry, const struct function_code *code, struct site_problem *why)
{
    struct site read = {.next = NULL}, *site;
    int protection = 0;

    for (site = *bucket_of(entry); site; site = site->next)
        if (site->prologue.entry == entry && !site->dropped)
            return site;
    if (check_readable(entry, code->size, &protection, why) != 0 ||
        read_choices(&read, entry, code, why) != 0)
        return NULL;
    site = site_of_same_code(&read, code);
    if (!site)
        site = site_new(entry);
    if (!site) {
        site_refuse(why, HP_MEMORY, "no memory for the function's stub");
        return NULL;
    }
    if (!site->prepared) {
        site->by_short = read.by_short;
        site->by_long = read.by_long;
        site->padding = read.padding;
        site->prologue = read.prologue;
        site->wide = read.wide;
    }
    drop(site, false);
    site->swap.protection = protection;
    return site;
}

/* ---- preparing ---- */

static int refuse_room(struct site_problem *why, int error)
{
    if (error == 0)
        return refuse_arch(why, ARCH_OUT_OF_REACH);
    return site_refuse(why, HP_MEMORY, "map a page near the function: %s", sys_error(error));
}

static uint64_t below(uint64_t at)
{
    return at > REACH ? at - REACH : 0;
}

static bool next_stub(const void *context, uint64_t from, uint64_t *at)
{
    return arch_stub_from(context, from, at);
}

static struct room_wish wish_stub(const struct arch_prologue *prologue)
{
    struct arch_window window;

    arch_stub_window(prologue, &window);
    return (struct room_wish){.kind = ROOM_CODE,
                              .size = STUB_BYTES,
                              .low = window.low,
                              .high = window.high,
                              .near = prologue->jump,
                              .next = prologue->count > 1 || prologue->guarded ? next_stub : NULL,
                              .context = prologue};
}

/* A jump with traps on the boundaries, whichever: it is noted in the prologue. */
static void place_punned(struct site *site, int *error)
{
    struct arch_prologue choices[ARCH_STUB_CHOICES];
    struct room_wish wishes[ARCH_STUB_CHOICES];
    struct arch_prologue choice = site->prologue;
    size_t count = 0, found;

    choice.trap = 0;
    arch_stub_guard(&choice);
    do {
        choices[count] = choice;
        wishes[count] = wish_stub(&choices[count]);
        count++;
    } while (count < ARCH_STUB_CHOICES && arch_stub_other(&choice));
    found = room_take_any(wishes, count, &site->stub, error);
    site->prologue = choices[found < count ? found : 0];
}

/* Both are made writable together. */
static bool is_like_entry(const struct site *site, uintptr_t pad)
{
    const uintptr_t page = ~UINT64_C(4095);
    struct mapping mapping;

    return ((pad & page) == (site->prologue.jump & page) &&
            ((pad + ARCH_LONG_BYTES - 1) & page) == (pad & page)) ||
           (maps_at(pad, &mapping) && mapping.protection == site->swap.protection &&
            !mapping.shared && mapping.end >= pad + ARCH_LONG_BYTES);
}

static bool is_free(const struct site *site, uintptr_t pad)
{
    struct overlap overlap = {site->prologue.entry, pad_span(pad)};

    return each_near(overlap.span, is_apart, &overlap) && is_like_entry(site, pad);
}

/* What a uprobe leaves: how good is this pad for it? */
enum rank { NOT_FREE, NOT_SAFE, TRAPS, WHOLE };

/* Best where the old instruction is whole once its first byte is back. */
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
 * Free five bytes of its padding, and how good they are; 0: none are left. Of those that are as good, the
 * last of the first gap: at its beginning a function of one byte may need padding for a long jump.
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

            if (rank <= *best || !is_free(site, at))
                continue;
            found = at;
            *best = rank;
        }
    }
    return found;
}

/* One store puts a long jump over one instruction, as free of traps as a short jump; and a uprobe leaves
 * the old code. */
static bool is_stored_and_safe(const struct site *site)
{
    struct arch_prologue prologue = site->by_long.prologue;

    return site->by_long.possible && arch_stored_whole(&prologue) && arch_stub_guard(&prologue) &&
           short_swap_stores(prologue.jump, site->swap.protection);
}

/* A short jump to a pad, and a long one from there to wherever the stub is. False: it is not to be had. */
static bool place_short(struct site *site)
{
    struct arch_prologue taken = site->by_short.prologue;
    struct room_wish wish;
    enum rank rank;
    int error;

    if (!site->by_short.possible || !short_swap_possible(taken.jump, site->swap.protection))
        return false;
    taken.pad = find_pad(site, &rank);
    if (!taken.pad || (rank == NOT_SAFE && is_stored_and_safe(site)))
        return false;
    wish = wish_stub(&taken);
    site->stub = room_take(&wish, &error);
    if (!site->stub)
        return false;
    site->prologue = taken;
    site->wide = site->by_short.wide;
    site->swap.punned = true;
    site->swap.jump_size = arch_jump_bytes(&taken, site->stub, site->swap.jump);
    memcpy(site->pad, (const void *)(uintptr_t)taken.pad, sizeof(site->pad));
    return true;
}

/* A short jump; or one with traps on the boundaries; or, where such a stub has no place, any jump:
 * then threads must be seen, or made, to leave. */
static int place_stub(struct site *site, struct site_problem *why)
{
    struct arch_prologue single = site->by_long.prologue;
    const struct arch_prologue *taken = &site->prologue;
    int error = 0;

    if (place_short(site))
        return 0;
    if (!site->by_long.possible)
        return site_refuse(why, HP_NOT_PATCHABLE,
                           "the padding near its entry, which it needs, is taken by other entries");
    take(site, &site->by_long);
    place_punned(site, &error);
    site->swap.punned = true;
    if (!site->stub) {
        struct room_wish wish;

        site->prologue.guarded = single.guarded = false;
        single.count = 1;
        single.start[1] = single.length;
        taken = &single;
        wish = wish_stub(taken);
        site->stub = room_take(&wish, &error);
        site->swap.punned = false;
    }
    if (!site->stub)
        return refuse_room(why, error);
    site->swap.jump_size = arch_jump_bytes(taken, site->stub, site->swap.jump);
    return 0;
}

static int place_words(struct site *site, struct site_problem *why)
{
    struct room_wish wish = {.kind = ROOM_WORDS,
                             .size = sizeof(struct words),
                             .low = below(site->stub),
                             .high = site->stub + REACH,
                             .near = site->prologue.jump};
    uint64_t low = below(site->prologue.jump), high = site->prologue.jump + REACH;
    int error;

    /* The noting stub lies near the function and reads them too. */
    if (low > wish.low)
        wish.low = low;
    if (high < wish.high)
        wish.high = high;
    site->words = (struct words *)room_take(&wish, &error);
    return site->words ? 0 : refuse_room(why, error);
}

static int place_noting(struct site *site, struct site_problem *why)
{
    uint64_t words = (uintptr_t)site->words;
    struct room_wish wish = {.kind = ROOM_CODE,
                             .size = NOTING_BYTES,
                             .low = below(words),
                             .high = words + REACH,
                             .near = site->prologue.jump};
    int error;

    site->noting = room_take(&wish, &error);
    return site->noting ? 0 : refuse_room(why, error);
}

/* Its length depends on where it lies, so it is written for a place close by first. */
static int place_original(struct site *site, struct site_problem *why)
{
    const struct arch_prologue *p = &site->prologue;
    uint8_t code[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    struct room_wish wish = {.kind = ROOM_CODE,
                             .size = sizeof(code),
                             .low = below(p->jump),
                             .high = p->jump + REACH,
                             .near = p->jump};
    ssize_t length;
    int error;

    /* The longest first; what it does not need goes back. */
    site->original = room_take(&wish, &error);
    if (!site->original)
        return refuse_room(why, error);
    site->original_size = sizeof(code);
    length = arch_move(&site->wide, site->original, arch_shadow_stack(), code, sizeof(code), map);
    if (length < 0)
        length = arch_move(p, site->original, arch_shadow_stack(), code, sizeof(code), map);
    if (length < 0)
        return refuse_arch(why, ARCH_NOT_MOVABLE);
    room_give_back(site->original + (size_t)length, sizeof(code) - (size_t)length);
    site->original_size = (size_t)length;
    error = room_write(site->original, code, (size_t)length);
    if (error != 0)
        return site_refuse(why, HP_STORE, "write a stub: %s", sys_error(error));
    for (unsigned i = 0; i < p->count; i++) {
        site->traps[i].address = p->jump + p->start[i];
        site->traps[i].moved = site->original + map[i];
    }
    return 0;
}

/* What a uprobe leaves, or a thread that comes past one, is to go on in the old code. */
static void place_restored(struct site *site)
{
    const struct arch_prologue *p = &site->prologue;
    uint8_t jump[ARCH_SHORT_BYTES], trap;

    if (is_short(site)) {
        arch_short_bytes(p, jump);
        site->survives = arch_survives_restore(p, jump, sizeof(jump), &trap, &site->faults);
    } else {
        site->survives =
            arch_survives_restore(p, site->swap.jump, site->swap.jump_size, &trap, &site->faults);
    }
    site->survives |= p->jump != p->entry;
    site->restored.address = trap ? p->jump + trap : 0;
    site->restored.moved = trap ? site->traps[0].moved : 0;
}

static int write_stubs(struct site *site, struct site_problem *why)
{
    uint8_t stub[ARCH_STUB_BYTES], noting[ARCH_STUB_BYTES];
    size_t stub_size = arch_stub(site->stub, (uintptr_t)&site->words->word, stub, STUB_BYTES);
    size_t noting_size = arch_stub_noting(site->noting, (uintptr_t)&site->words->seen,
                                          (uintptr_t)&site->words->target, noting, NOTING_BYTES);
    int error;

    if (stub_size == 0 || noting_size == 0)
        return refuse_arch(why, ARCH_OUT_OF_REACH);
    error = room_write(site->stub, stub, stub_size);
    if (error == 0)
        error = room_write(site->noting, noting, noting_size);
    return error == 0 ? 0 : site_refuse(why, HP_STORE, "write a stub: %s", sys_error(error));
}

static void give_back(struct site *site)
{
    room_give_back(site->stub, STUB_BYTES);
    room_give_back((uintptr_t)site->words, sizeof(*site->words));
    room_give_back(site->noting, NOTING_BYTES);
    room_give_back(site->original, site->original_size);
    site->stub = site->noting = site->original = 0;
    site->words = NULL;
}

int site_prepare(struct site *site, struct site_problem *why)
{
    if (site->prepared)
        return 0;
    if (place_stub(site, why) != 0 || place_words(site, why) != 0 || place_noting(site, why) != 0 ||
        place_original(site, why) != 0 || write_stubs(site, why) != 0) {
        give_back(site);
        return -1;
    }
    site->words->seen = 0;
    site->words->target = site->original;
    __atomic_store_n(&site->words->word, site->original, __ATOMIC_RELEASE);
    site->prepared = true;
    place_restored(site);
    for (unsigned i = 0; i < trap_count(site); i++)
        trap_add(&site->traps[i]);
    if (site->restored.address)
        trap_add(&site->restored);
    return 0;
}

/* ---- what callers rely on ---- */

int site_keep(struct site *site, uintptr_t function, const struct keep *keep,
              struct site_problem *why)
{
    int error = keeper_make(&site->keepers, site->prologue.jump, function, keep);

    return error == 0 ? 0 : refuse_room(why, error);
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

/* Keep an eye on what arming is about to write. 0, or -1: no memory. */
static int watch_short(struct site *site)
{
    struct damage_piece entry = {.at = site->prologue.jump, .size = ARCH_SHORT_BYTES};
    struct damage_piece pad = {.at = site->prologue.pad, .size = ARCH_LONG_BYTES};

    arch_short_bytes(&site->prologue, entry.written);
    memcpy(entry.original, site->prologue.bytes, ARCH_SHORT_BYTES);
    memcpy(pad.written, site->swap.jump, ARCH_LONG_BYTES);
    memcpy(pad.original, site->pad, ARCH_LONG_BYTES);
    if (damage_watch(&site->damage, &entry) == 0 && damage_watch(&site->damage, &pad) == 0)
        return 0;
    damage_unwatch(&site->damage);
    return -1;
}

static int watch_long(struct site *site)
{
    const struct arch_swap *swap = &site->swap;
    struct damage_piece piece = {.at = site->prologue.jump, .size = swap->jump_size};

    memcpy(piece.written, swap->jump, swap->jump_size);
    memcpy(piece.original, site->prologue.bytes, swap->jump_size);
    return damage_watch(&site->damage, &piece);
}

/* The bytes of one that is being armed or disarmed, for a child that was forked meanwhile. */
static struct site *under_way;

static int put_in(struct site *site, uint64_t until, struct site_problem *why)
{
    int error = 0;

    /* A short jump needs none, unless a uprobe is set there and removed. */
    if (!is_short(site) || site->faults || site->restored.address)
        error = trap_install(arch_stub_faults(&site->prologue) || site->faults);
    if (error != 0 && !is_short(site))
        return site_refuse(why, HP_STORE, "take SIGTRAP or SIGILL: %s", sys_error(error));
    if ((is_short(site) ? watch_short(site) : watch_long(site)) != 0)
        return site_refuse(why, HP_MEMORY, "no memory to watch the function's first bytes");
    under_way = site;
    site->technique =
        is_short(site) ? short_swap_in(&site->swap, why) : arch_swap_in(&site->swap, until, why);
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
    out = (is_short(site) ? short_swap_out(&site->swap, why)
                          : arch_swap_out(&site->swap, until, why)) != NULL;
    site->armed = !out;
    under_way = NULL;
    if (out)
        damage_unwatch(&site->damage);
    return out ? 0 : -1;
}

/* ---- what others write ---- */

static bool pad_holds(const struct site *site, const uint8_t *bytes)
{
    return memcmp((const void *)(uintptr_t)site->prologue.pad, bytes, ARCH_LONG_BYTES) == 0;
}

/* Armed before, it holds the jump still. */
static int check_pad(const struct site *site, struct site_problem *why)
{
    if (!is_short(site) || pad_holds(site, site->pad) || pad_holds(site, site->swap.jump))
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

/* What cannot be written, or is not what was read, is refused when the site is armed. */
void sites_arm_ahead(struct site *const *sites, size_t count)
{
    struct site_problem ignored;
    bool written = false;

    for (size_t i = 0; i < count; i++)
        if (!sites[i]->armed && is_short(sites[i]) && site_check(sites[i], &ignored) == 0)
            written |= short_swap_ahead(&sites[i]->swap) == 0;
    if (written)
        poke_sync();
}

/* A thread that comes past the entry sees the original byte or the jump's, and each leads on. */
static int mend_first_byte(const struct site *site, struct site_problem *why)
{
    const struct damage_piece *piece = &site->damage.piece;
    struct poke poke;
    int error = poke_open(&poke, piece->at, 1, site->swap.protection, false);

    if (error == 0) {
        error = poke_byte(&poke, piece->at, piece->written[0]);
        poke_close(&poke);
        poke_sync();
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
    if (is_short(site)) /* its pad is written again only when nothing leads there */
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
    return is_short(site);
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

/* FNV-1a by words, of all that is not a number for others: a member that is added is not forgotten. */
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

void site_switch(struct site *site, uintptr_t target, bool note)
{
    struct words *words = site->words;

    target = site_way(site, target);
    /* A thread in the noting stub finds the new target, too. */
    __atomic_store_n(&words->target, target, __ATOMIC_RELEASE);
    __atomic_store_n(&words->seen, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&words->word, note ? site->noting : target, __ATOMIC_RELEASE);
}

bool site_settle(struct site *site)
{
    struct words *words = site->words;

    if (!__atomic_load_n(&words->seen, __ATOMIC_ACQUIRE))
        return false;
    __atomic_store_n(&words->word, words->target, __ATOMIC_RELEASE);
    return true;
}

/* ---- original bytes ---- */

struct restoring {
    struct span span;
    uint8_t *copy;
};

static void restore(const struct restoring *restoring, uintptr_t at, const uint8_t *bytes,
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
        restore(restoring, site->prologue.jump, site->prologue.bytes, site->prologue.length);
    if (is_short(site))
        restore(restoring, site->prologue.pad, site->pad, sizeof(site->pad));
    return true;
}

void sites_restore(uintptr_t address, uint8_t *copy, size_t size)
{
    struct restoring restoring = {{address, address + size}, copy};

    each_near(restoring.span, restore_site, &restoring);
}

void sites_drop(uintptr_t begin, uintptr_t end)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct site *site = buckets[i]; site; site = site->next)
            if (site->prologue.entry >= begin && site->prologue.entry < end)
                drop(site, true);
}

/* The host may have taken the signals for itself since. */
void sites_tend(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct site *site = buckets[i]; site; site = site->next)
            if (site->armed && !is_short(site)) {
                trap_install(false);
                return;
            }
}

/* Code, stubs and words are private memory: the child has its own. There is no other thread in it. */
void sites_after_fork(void)
{
    struct site *site = under_way;
    uintptr_t jump;
    struct poke poke;

    poke_after_fork();
    room_after_fork();
    maps_after_fork();
    if (!site)
        return;
    under_way = NULL;
    site->armed = false;
    damage_unwatch(&site->damage);
    jump = site->prologue.jump;
    if (poke_open(&poke, jump, site->prologue.length, site->swap.protection, true) != 0)
        return;
    poke_bytes(&poke, jump, site->prologue.bytes, site->prologue.length);
    poke_close(&poke);
    if (!is_short(site) ||
        poke_open(&poke, site->prologue.pad, sizeof(site->pad), site->swap.protection, true) != 0)
        return;
    poke_bytes(&poke, site->prologue.pad, site->pad, sizeof(site->pad));
    poke_close(&poke);
}
