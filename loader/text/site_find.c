/* site_find.c - see site_find.h. */
#include "loader/text/site_find.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/refusal.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/text/site_state.h"

/* Refuse pages that are executable and not readable: reading them would raise SIGSEGV. */
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
    struct site *site = calloc(1, sizeof(*site)), **bucket = site_bucket(entry);

    if (!site)
        return NULL;
    site->prologue.entry = entry;
    site->patch.prologue = &site->prologue;
    site->next = *bucket;
    *bucket = site;
    return site;
}

static bool share(struct span a, struct span b)
{
    return a.begin < b.end && b.begin < a.end;
}

static struct span span_of(const struct arch_prologue *prologue)
{
    return (struct span){prologue->jump, prologue->jump + prologue->length};
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
    if (site_claims_pad(site) && share(span_of_pad(site->prologue.pad), overlap->span))
        return false;
    return !share(span_of(&site->prologue), overlap->span);
}

bool sites_leave_free(uintptr_t entry, struct span span)
{
    struct overlap overlap = {entry, span};

    return sites_each_near(span, is_apart, &overlap);
}

/* Return whether another entry's jump, or a pad, lies among the bytes. Debug information may report a function
 * there. */
static bool overlaps_another(const struct arch_prologue *prologue)
{
    return !sites_leave_free(prologue->entry, span_of(prologue));
}

static void examine_choice(struct choice *choice, size_t size)
{
    choice->possible = !overlaps_another(&choice->prologue);
    choice->wide = choice->prologue;
    arch_prologue_widen((const uint8_t *)choice->prologue.entry, size, &choice->wide);
}

/* Fill `site`, which is not in the table yet, with the choices that are possible at the entry. */
static int read_choices(struct site *site, uintptr_t entry, const struct function_code *code,
                        struct site_problem *why)
{
    const uint8_t *bytes = (const uint8_t *)entry;
    enum arch_problem problem;

    problem = arch_prologue_read_short(bytes, code->size, entry, &site->by_short.prologue);
    if (code->padding.count > 0 && problem == ARCH_OK)
        examine_choice(&site->by_short, code->size);
    problem = arch_prologue_read(bytes, code->size, entry, &site->by_long.prologue);
    if (!code->no_long && problem == ARCH_OK)
        examine_choice(&site->by_long, code->size);
    site->padding = code->padding;
    site_take(site, site->by_long.possible ? &site->by_long : &site->by_short);
    if (site->by_short.possible || site->by_long.possible)
        return 0;
    if (problem != ARCH_OK)
        return site_refuse_arch(why, problem);
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

/* Return the known site of the same code. A library that is loaded again where it was mapped before still has its
 * stubs. */
static struct site *site_of_same_code(const struct site *read, const struct function_code *code)
{
    for (struct site *site = *site_bucket(read->prologue.entry); site; site = site->next) {
        const struct choice *now = site_has_pad(site) ? &read->by_short : &read->by_long;

        if (site->prologue.entry != read->prologue.entry)
            continue;
        if (!site->prepared)
            return site;
        if (now->possible && same_code(&site->prologue, &now->prologue) &&
            same_code(&site->wide, &now->wide) &&
            (!site_has_pad(site) || is_in_padding(site, &code->padding)))
            return site;
    }
    return NULL;
}

struct site *site_at(uintptr_t entry, const struct function_code *code, struct site_problem *why)
{
    struct site read = {.next = NULL}, *site;
    int protection = 0;

    for (site = *site_bucket(entry); site; site = site->next)
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
    site_drop(site, false);
    site->patch.protection = protection;
    return site;
}
