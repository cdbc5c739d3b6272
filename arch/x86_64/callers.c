/*
 * callers.c - see callers.h. Finds the registers that a function must keep, from its direct callers.
 *
 * A caller relies on a register that the function does not write if the caller reads it after the call. If neither of
 * them writes it, callers of the caller may rely on it too, and so on. If a function jumps to the analysed function,
 * the callers of the first are callers of the second. An unaligned stack is followed up in the same way, to callers
 * that make no call which needs an aligned stack.
 */
#include "arch/callers.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/callers_facts.h"

enum {
    ABOVE_MAX = 4096,            /* functions read for one result */
    STEPS_MAX = 4 * 1000 * 1000, /* instructions read for one result */
    ELSEWHERE_MAX = 4096,        /* of these, for one branch that is in no function's body */
    LENGTH_MAX = 15              /* of an instruction */
};

struct arch_callers {
    struct analysis analysis;
};

struct arch_callers *arch_callers_open(const struct arch_object *object)
{
    struct arch_callers *callers = calloc(1, sizeof(*callers));

    if (callers && !analysis_begin(&callers->analysis, object)) {
        arch_callers_close(callers);
        return NULL;
    }
    return callers;
}

void arch_callers_close(struct arch_callers *callers)
{
    if (!callers)
        return;
    analysis_end(&callers->analysis);
    free(callers);
}

size_t arch_callers_memory(const struct arch_callers *callers)
{
    return sizeof(*callers) + analysis_memory(&callers->analysis);
}

/* ------------------------------------------------------- jumps into functions --- */

/* The first inner branch whose target is not below `from`. */
static uint32_t inner_from(const struct branch_index *index, uint64_t from)
{
    uint32_t low = 0, high = index->inner_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (index->low + index->inner[middle].target < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool jump_into(const struct branch_index *index, uint64_t from, uint64_t to, bool surely,
                      uint64_t *site, uint64_t *target)
{
    for (uint32_t i = inner_from(index, from); i < index->inner_count; i++) {
        *target = index->low + index->inner[i].target;
        if (*target >= to)
            return false;
        switch (branch_index_confirm(index, index->inner[i].site, *target, site)) {
        case BRANCH_CONFIRMED:
            return true;
        case BRANCH_UNKNOWN:
            if (!surely)
                return true;
            break;
        default:
            break;
        }
    }
    return false;
}

bool arch_callers_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                            uint64_t *site, uint64_t *target)
{
    return jump_into(&callers->analysis.index, from, to, false, site, target);
}

bool arch_callers_surely_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                                   uint64_t *site, uint64_t *target)
{
    return jump_into(&callers->analysis.index, from, to, true, site, target);
}

bool arch_callers_lead_to(struct arch_callers *callers, uint64_t entry, uint64_t *site)
{
    const struct branch_index *index = &callers->analysis.index;
    uint32_t function;

    if (!branch_index_begins(index, entry, &function))
        return false;
    for (uint32_t i = index->first[function]; i < index->first[function + 1]; i++)
        if (branch_index_function(index, index->low + index->sites[i]) != (int64_t)function &&
            branch_index_confirm(index, index->sites[i], entry, site) != BRANCH_REFUTED)
            return true;
    return false;
}

/* ------------------------------------------------------- callers of callers --- */

/* A function whose callers are read, and the registers that survive from the analysed function up to its return. */
struct above {
    uint32_t function;
    bool odd;   /* the analysed function gets the alignment of this function's stack */
    bool again; /* must still be read */
    struct registers survive;
};

struct asking {
    struct analysis *analysis;
    uint32_t function;
    struct registers relied;
    bool align, unproved, again;
    struct arch_caller *list;
    size_t room, count;
};

static struct above *above_at(const struct asking *asking, size_t i)
{
    return (struct above *)asking->analysis->above.bytes + i;
}

static size_t above_count(const struct asking *asking)
{
    return asking->analysis->above.used / sizeof(struct above);
}

/* Queue a caller. A function whose set has grown is read again. */
static void go_up(struct asking *asking, uint32_t function, struct registers survive, bool odd)
{
    struct analysis *analysis = asking->analysis;
    struct above *above;

    if (registers_empty(survive) && !odd)
        return;
    if (analysis->marks[function]) {
        above = above_at(asking, analysis->marks[function] - 1);
        above->again |=
            (odd && !above->odd) || !registers_empty(registers_without(survive, above->survive));
        above->odd |= odd;
        above->survive = registers_or(above->survive, survive);
        asking->again |= above->again;
        return;
    }
    above = above_count(asking) < ABOVE_MAX ? array_add(&analysis->above, sizeof(*above)) : NULL;
    if (!above) {
        asking->unproved = true;
        return;
    }
    *above = (struct above){function, odd, true, survive};
    analysis->marks[function] = (uint32_t)above_count(asking);
    asking->again = true;
}

static void fill_kept(struct arch_kept *kept, const struct registers *relied)
{
    kept->general = general_of(relied) & ARCH_GENERAL_CALLER_SAVED;
    kept->vector = vectors_of(relied);
    kept->mask = masks_of(relied);
    kept->x87 = x87_of(relied) != 0;
    kept->vector_bytes = relied->wide ? 64 : relied->vector >> 32 ? 32 : kept->vector ? 16 : 0;
}

static void note_caller(struct asking *asking, uint64_t site, int64_t around,
                        const struct registers *relied, bool odd, bool unproved)
{
    struct arch_caller *caller = asking->count < asking->room ? &asking->list[asking->count] : NULL;

    if (registers_empty(*relied) && !odd)
        return;
    asking->count++;
    asking->relied = registers_or(asking->relied, *relied);
    asking->align |= odd;
    asking->unproved |= unproved;
    if (!caller)
        return;
    *caller = (struct arch_caller){.site = site};
    if (around >= 0)
        caller->function = asking->analysis->index.functions[around].address;
    fill_kept(&caller->relies, relied);
    caller->relies.align = odd;
    caller->relies.proved = !unproved;
}

/* Add the facts of one call, and queue the callers of its function. */
static void ask_site(struct asking *asking, const struct above *above, uint64_t site,
                     int64_t around, const struct site_fact *fact)
{
    struct analysis *analysis = asking->analysis;
    struct registers relied = registers_and(fact->live, above->survive);
    const struct facts *facts = around >= 0 ? facts_of(analysis, (uint32_t)around, 0) : NULL;
    bool odd = above->odd && place_parity(fact->stack) != PARITY_ALIGNED;
    bool passes_on = above->odd && fact->stack.from == PLACE_ENTRY &&
                     (fact->call || fact->stack.offset == 0) && !(facts && facts->needs_aligned);

    if (fact->call)
        note_caller(asking, site, around, &relied, odd, fact->unresolved);
    if (facts && (uint32_t)around != above->function)
        go_up(asking, (uint32_t)around, registers_without(above->survive, facts->writes),
              passes_on);
}

/* Return the registers that are live after a branch that is in no body which begins at a function's entry. */
static struct site_fact fact_from(struct analysis *analysis, uint64_t begins)
{
    struct site_fact fact = {.live = registers_caller_saved(), .call = true, .unresolved = true};
    uint64_t budget = analysis->budget;
    struct site_list *list;

    if (analysis->budget > ELSEWHERE_MAX)
        analysis->budget = ELSEWHERE_MAX;
    budget -= analysis->budget;
    list = facts_sites_from(analysis, begins, stack_at_entry, NO_FUNCTION);
    analysis->budget += budget;
    for (uint32_t i = 0; list && i < list->count; i++)
        if (analysis->index.low + list->sites[i].site - begins < LENGTH_MAX) {
            fact = list->sites[i];
            break;
        }
    free(list);
    return fact;
}

/* Check a branch that is reached by an exception, by a jump that was not followed, or never. In a function that was
 * too large to be read no more is known. If the function around it needs an aligned stack for other calls, the stack
 * is aligned here. */
static void ask_elsewhere(struct asking *asking, const struct above *above, uint64_t begins,
                          int64_t around, bool cut)
{
    struct analysis *analysis = asking->analysis;
    struct site_fact fact = {.live = registers_caller_saved(), .call = true, .unresolved = true};
    bool aligned = around >= 0 && facts_of(analysis, (uint32_t)around, 0)->needs_aligned;

    if (!cut)
        fact = fact_from(analysis, begins);
    fact.stack = (struct pointer_place){aligned ? PLACE_ALIGNED : PLACE_UNKNOWN, 0};
    ask_site(asking, above, begins, around, &fact);
}

static void ask_branch(struct asking *asking, const struct above *above, uint32_t site)
{
    struct analysis *analysis = asking->analysis;
    uint64_t target = analysis->index.functions[above->function].address, begins;
    int64_t around = branch_index_function(&analysis->index, analysis->index.low + site);
    const struct site_list *list = around >= 0 ? facts_sites(analysis, (uint32_t)around) : NULL;
    const struct site_fact *fact = list ? site_find(list, site) : NULL;

    if (fact)
        ask_site(asking, above, analysis->index.low + site, around, fact);
    else if (branch_index_confirm(&analysis->index, site, target, &begins) != BRANCH_REFUTED)
        ask_elsewhere(asking, above, begins, around, list && list->cut);
}

static void ask_callers(struct asking *asking, const struct above *above)
{
    const struct branch_index *index = &asking->analysis->index;

    for (uint32_t i = index->first[above->function]; i < index->first[above->function + 1]; i++)
        ask_branch(asking, above, index->sites[i]);
}

/* ------------------------------------------------------- the result --- */

/* Return whole registers: a result that is shorter than its register counts as the whole register. */
static struct registers whole_results(const struct registers *written)
{
    struct registers whole = vector_registers((uint32_t)written->scalar & 3);

    whole.vector |= (written->scalar & 3) << 32;
    whole.wide = written->scalar & 3;
    whole.general = general_parts(written->general & (1 << RAX | 1 << RDX));
    return whole;
}

/* Return the result registers that the function writes on at least some paths. */
static struct registers written_results(const struct facts *facts)
{
    struct registers results = registers_results(), none = {0};

    results.general &= general_parts(1 << RAX | 1 << RDX);
    return facts->needs_aligned ? none : registers_and(facts->writes, results);
}

/* Record doubtful result registers. Their lowest parts decide: after setne %dl compilers copy all of edx, with any
 * value in the rest. */
static void note_doubtful(struct arch_kept *out, const struct site_fact *fact,
                          const struct registers *doubtful)
{
    if (!fact)
        return;
    out->unsure_general |= (uint16_t)(fact->read_general & doubtful->general);
    out->unsure_vector |= (uint32_t)(fact->read_vector & doubtful->scalar);
}

/* Return the registers of a set that are live after a call. */
static struct registers live_after_site(struct analysis *analysis, uint32_t site, int64_t around,
                                        struct registers set)
{
    const struct site_list *list = around >= 0 ? facts_sites(analysis, (uint32_t)around) : NULL;
    const struct site_fact *fact = list ? site_find(list, site) : NULL;
    struct registers none = {0};

    return fact ? registers_and(fact->live, set) : none;
}

/* Check result registers that are written only on some paths and that a direct caller reads. A function that calls
 * unknown functions on all such paths writes all of them there: it is left out. */
static void ask_results(struct asking *asking, const struct facts *facts, struct arch_kept *out)
{
    struct analysis *analysis = asking->analysis;
    const struct branch_index *index = &analysis->index;
    struct registers doubtful = written_results(facts), written;
    uint32_t first = index->first[asking->function], end = index->first[asking->function + 1];
    bool settled = false;

    for (uint32_t i = first; i < end && !registers_empty(doubtful); i++) {
        int64_t around = branch_index_function(index, index->low + index->sites[i]);

        if (registers_empty(live_after_site(analysis, index->sites[i], around, doubtful)))
            continue;
        if (!settled) {
            written = facts_results(analysis, asking->function);
            doubtful = registers_without(doubtful, whole_results(&written));
            settled = true;
            if (registers_empty(live_after_site(analysis, index->sites[i], around, doubtful)))
                continue;
        }
        note_doubtful(out, facts_read_after(analysis, (uint32_t)around, index->sites[i]),
                      &doubtful);
    }
}

/* Remove result registers that the function writes. A partly written register counts as written: a double is a part
 * of xmm0, and callers that seem to read the rest (they store or pass all of it) read the result. */
static void leave_results(struct arch_kept *out, const struct registers *writes)
{
    out->general &= (uint16_t) ~(general_of(writes) & (1 << RAX | 1 << RDX));
    out->vector &= ~(vectors_of(writes) & 3);
    if (out->vector == 0)
        out->vector_bytes = 0;
    out->x87 &= x87_of(writes) == 0;
}

static void go_all_the_way(struct asking *asking)
{
    while (asking->again) {
        asking->again = false;
        for (size_t i = 0; i < above_count(asking); i++) {
            struct above above = *above_at(asking, i);

            if (!above.again)
                continue;
            above_at(asking, i)->again = false;
            ask_callers(asking, &above);
        }
    }
    for (size_t i = 0; i < above_count(asking); i++)
        asking->analysis->marks[above_at(asking, i)->function] = 0;
    asking->analysis->above.used = 0;
}

const struct arch_kept arch_kept_everything = {
    .general = ARCH_GENERAL_CALLER_SAVED & ~ARCH_RESULT_GENERAL_PAIR,
    .vector = UINT32_MAX & ~(uint32_t)ARCH_RESULT_VECTOR_PAIR,
    .vector_bytes = 64,
    .mask = 0xff,
    .x87 = true,
    .align = true,
    .unsure_general = ARCH_RESULT_GENERAL_PAIR,
    .unsure_vector = ARCH_RESULT_VECTOR_PAIR,
};

struct arch_kept arch_kept_unproved(void)
{
    return (struct arch_kept){
        .general = ARCH_GENERAL_CALLER_SAVED & ~(1 << RAX | 1 << RDX),
        .vector = UINT16_MAX & ~3u,
        .vector_bytes = 16,
        .align = true,
    };
}

void arch_callers_kept(struct arch_callers *callers, uint64_t entry, struct arch_kept *out,
                       struct arch_caller *list, size_t room, size_t *count)
{
    struct asking asking = {.analysis = &callers->analysis, .list = list, .room = room};
    const struct facts *facts;
    struct registers survive;

    *out = (struct arch_kept){.proved = true};
    if (count)
        *count = 0;
    callers->analysis.budget = STEPS_MAX;
    if (!branch_index_begins(&callers->analysis.index, entry, &asking.function)) {
        *out = arch_kept_unproved();
        return;
    }
    facts = facts_of(&callers->analysis, asking.function, 0);
    if (!facts->returns && facts->followed)
        return;
    survive = registers_without(registers_caller_saved(), facts->writes);
    go_up(&asking, asking.function, survive, !facts->needs_aligned);
    go_all_the_way(&asking);
    fill_kept(out, &asking.relied);
    out->align = asking.align;
    out->proved = !asking.unproved;
    if (callers->analysis.budget == 0) {
        fill_kept(out, &survive);
        out->align = !facts->needs_aligned;
        out->proved = false;
    }
    leave_results(out, &facts->writes);
    ask_results(&asking, facts, out);
    analysis_rest(&callers->analysis);
    if (count)
        *count = asking.count;
}
