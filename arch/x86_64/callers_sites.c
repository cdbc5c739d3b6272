/*
 * callers_sites.c - the calls that a function makes, and the registers that are live after them: see callers_facts.h.
 * Listener or command.
 */
#include <stdlib.h>

#include "arch/x86_64/callers_facts.h"
#include "arch/x86_64/callers_flow.h"

static int compare_sites(const void *a, const void *b)
{
    const struct site_fact *left = a, *right = b;

    return (left->site > right->site) - (left->site < right->site);
}

const struct site_fact *site_find(const struct site_list *list, uint32_t site)
{
    struct site_fact key = {.site = site};

    return bsearch(&key, list->sites, list->count, sizeof(*list->sites), compare_sites);
}

static bool leads_to_function(const struct step *step)
{
    return step->function != NO_FUNCTION && step->effects.kind != EFFECT_PLAIN &&
           step->effects.kind != EFFECT_RETURN;
}

static void fill_site(const struct analysis *analysis, const struct step *step, bool cut,
                      struct site_fact *out)
{
    struct registers none = {0};
    bool call = step_calls(step);

    *out = (struct site_fact){
        .live = call ? registers_and(step->live, registers_caller_saved()) : none,
        .site = (uint32_t)(step_site(step) - analysis->index.low),
        .stack = step->stack.stack,
        .call = call,
    };
    if (call && cut)
        out->live = registers_caller_saved();
    out->unresolved = registers_equal(out->live, registers_caller_saved());
}

static struct site_list *list_sites(struct analysis *analysis, const struct body *body)
{
    struct site_list *list;
    size_t count = 0;

    for (size_t i = 0; i < body_count(body); i++)
        count += leads_to_function(body_step(body, i));
    list = malloc(sizeof(*list) + count * sizeof(*list->sites));
    if (!list)
        return NULL;
    list->count = 0;
    list->cut = body->cut;
    list->reads_known = false;
    for (size_t i = 0; i < body_count(body); i++)
        if (leads_to_function(body_step(body, i)))
            fill_site(analysis, body_step(body, i), body->cut, &list->sites[list->count++]);
    qsort(list->sites, list->count, sizeof(*list->sites), compare_sites);
    return list;
}

struct site_list *facts_sites_from(struct analysis *analysis, uint64_t root,
                                   struct pointer_place stack, uint32_t function)
{
    struct flow flow = {.analysis = analysis, .body = &analysis->bodies[0], .function = function};

    body_read(flow.body, &analysis->index, root, stack, &analysis->budget, NULL, NULL);
    flow_run(&flow);
    return list_sites(analysis, flow.body);
}

/* Return the stack position at a jump to a part of a function. */
static struct pointer_place function_stack(struct analysis *analysis, uint32_t function)
{
    const struct branch_index *index = &analysis->index;
    const struct pointer_place unknown = {PLACE_UNKNOWN, 0};
    const struct site_fact *fact;
    const struct site_list *list;
    int64_t around;
    uint32_t site;

    if (!facts_is_part(analysis, function))
        return stack_at_entry;
    site = index->sites[index->first[function]];
    around = branch_index_function(index, index->low + site);
    if (around < 0 || around == function || facts_is_part(analysis, (uint32_t)around))
        return unknown;
    list = facts_sites(analysis, (uint32_t)around);
    fact = list ? site_find(list, site) : NULL;
    return fact ? fact->stack : unknown;
}

const struct site_list *facts_sites(struct analysis *analysis, uint32_t function)
{
    struct site_list **list = &analysis->lists[function];

    if (!*list) {
        struct pointer_place stack = function_stack(analysis, function);

        *list = facts_sites_from(analysis, analysis->index.functions[function].address, stack,
                                 facts_is_part(analysis, function) ? NO_FUNCTION : function);
        if (*list)
            analysis->lists_memory += sizeof(**list) + (*list)->count * sizeof(*(*list)->sites);
    }
    return *list;
}

/* ------------------------------------------------------- results --- */

struct registers facts_results(struct analysis *analysis, uint32_t function)
{
    struct registers none = {0};
    struct flow flow = {.analysis = analysis, .body = &analysis->bodies[0], .function = function};

    facts_read(analysis, flow.body, function, NULL, NULL);
    return flow.body->cut ? none : flow_results(&flow);
}

/* Record the registers that are read after each call of a list, by the body from which the list was made. */
static void note_reads(struct analysis *analysis, struct site_list *list, const struct body *body)
{
    for (size_t i = 0; i < body_count(body); i++) {
        const struct step *step = body_step(body, i);
        uint32_t site = (uint32_t)(step_site(step) - analysis->index.low);
        struct site_fact *fact =
            step_calls(step) ? (struct site_fact *)(uintptr_t)site_find(list, site) : NULL;

        if (!fact)
            continue;
        fact->read_general = (uint8_t)(step->live.general & (1 << RAX | 1 << RDX));
        fact->read_vector = (uint8_t)(step->live.scalar & 3);
    }
    list->reads_known = true;
}

const struct site_fact *facts_read_after(struct analysis *analysis, uint32_t function,
                                         uint32_t site)
{
    struct flow flow = {.analysis = analysis,
                        .body = &analysis->bodies[0],
                        .function = function,
                        .reads_alone = true};
    struct site_list *list = analysis->lists[function];

    if (!list)
        return NULL;
    if (!list->reads_known) {
        facts_read(analysis, flow.body, function, NULL, NULL);
        flow_run(&flow);
        note_reads(analysis, list, flow.body);
    }
    return site_find(list, site);
}
