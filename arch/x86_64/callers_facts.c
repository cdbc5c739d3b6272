/* callers_facts.c - see callers_facts.h. Listener or command. */
#include "arch/x86_64/callers_facts.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/callers_flow.h"

enum {
    KEPT_BYTES = 2 << 20, /* memory kept for reading the next function */
    SAMPLES = 4,          /* number of callers whose arguments are read */
    LOOKS_FIRST = 6 /* number of times a function is read again after a callee was read first */
};

bool analysis_begin(struct analysis *analysis, const struct arch_object *object)
{
    static const struct facts_questions questions = {
        .of = facts_of,
        .uses = facts_uses,
        .arguments = facts_arguments,
        .note_arguments = facts_note_arguments,
    };

    *analysis = (struct analysis){.ask = &questions};
    if (!branch_index_make(&analysis->index, object))
        return false;
    analysis->facts = calloc(analysis->index.function_count + 1, sizeof(*analysis->facts));
    analysis->lists = calloc(analysis->index.function_count + 1, sizeof(struct site_list *));
    analysis->marks = calloc(analysis->index.function_count + 1, sizeof(*analysis->marks));
    return analysis->facts && analysis->lists && analysis->marks;
}

static void free_bodies(struct analysis *analysis)
{
    body_free(&analysis->summary);
    body_free(&analysis->sample);
    for (size_t i = 0; i <= USES_DEPTH; i++)
        body_free(&analysis->bodies[i]);
}

static size_t bodies_memory(const struct analysis *analysis)
{
    size_t size = body_memory(&analysis->summary) + body_memory(&analysis->sample);

    for (size_t i = 0; i <= USES_DEPTH; i++)
        size += body_memory(&analysis->bodies[i]);
    return size;
}

void analysis_rest(struct analysis *analysis)
{
    if (bodies_memory(analysis) <= KEPT_BYTES)
        return;
    body_rest(&analysis->summary);
    body_rest(&analysis->sample);
    for (size_t i = 0; i <= USES_DEPTH; i++)
        body_rest(&analysis->bodies[i]);
}

void analysis_end(struct analysis *analysis)
{
    free_bodies(analysis);
    array_free(&analysis->callees);
    for (size_t i = 0; analysis->lists && i < analysis->index.function_count; i++)
        free(analysis->lists[i]);
    free(analysis->lists);
    free(analysis->facts);
    free(analysis->marks);
    array_free(&analysis->above);
    branch_index_free(&analysis->index);
}

size_t analysis_memory(const struct analysis *analysis)
{
    return branch_index_memory(&analysis->index) + analysis->lists_memory +
           bodies_memory(analysis) +
           analysis->index.function_count * (sizeof(*analysis->facts) + sizeof(struct site_list *));
}

void facts_read(struct analysis *analysis, struct body *body, uint32_t function, body_visit *visit,
                void *context)
{
    body_read(body, &analysis->index, analysis->index.functions[function].address, stack_at_entry,
              &analysis->budget, visit, context);
}

/* ------------------------------------------------------- written registers --- */

struct summing {
    struct analysis *analysis;
    struct facts *facts;
    struct registers writes;
    uint16_t saved, restored; /* general registers: pushed before they were written; popped */
    uint32_t function;
    uint32_t pending; /* a callee that must be read first, or NO_FUNCTION */
    bool looks_first; /* read first those callees that may settle the result */
    bool settled;     /* final: writes all registers and needs an aligned stack */
};

/* A call or jump to another function of the object. */
struct callee {
    uint32_t function;
    bool aligned; /* with the stack as the psABI has it, if the caller was entered so */
};

static bool is_all(const struct registers *writes)
{
    return registers_empty(registers_without(registers_caller_saved(), *writes));
}

/* Return whether the jump leads out of the function. An indirect jump that may stay inside the function is not
 * counted as a call. */
static bool leads_out(const struct step *step)
{
    return step->outside && (step->effects.kind != EFFECT_JUMP_UNKNOWN ||
                             (step->effects.simple_memory && step_at_entry_level(step)));
}

static bool is_aligned(const struct step *step)
{
    if (step_calls(step))
        return step->stack.stack.from == PLACE_ENTRY && step_parity(step) == PARITY_ALIGNED;
    return step_at_entry_level(step);
}

static bool settles(const struct facts *facts)
{
    return facts->state == FACTS_KNOWN && facts->needs_aligned && is_all(&facts->writes);
}

static void sum_outside(struct summing *summing, const struct step *step)
{
    if (!leads_out(step))
        return;
    summing->writes = registers_caller_saved();
    summing->facts->needs_aligned |= is_aligned(step);
}

/* Add a call. Most functions soon call a function that settles the result. Return whether to stop and read the
 * callee. */
static bool sum_call(struct summing *summing, const struct step *step)
{
    const struct facts *callee;

    if (step->function == NO_FUNCTION || step->function == summing->function || !is_aligned(step))
        return false;
    callee = &summing->analysis->facts[step->function];
    if (settles(callee)) {
        summing->writes = registers_caller_saved();
        summing->facts->needs_aligned = true;
    } else if (callee->state == FACTS_UNKNOWN && summing->looks_first) {
        summing->pending = step->function;
        return true;
    }
    return false;
}

/* Return whether the body is a stub of a PLT: it leads out of the object at once. */
static bool is_stub(const struct body *body)
{
    const struct step *last = body_count(body) > 0 ? body_step(body, body_count(body) - 1) : NULL;

    return last && body_count(body) <= 2 && last->outside && last->effects.kind == EFFECT_JUMP_WORD;
}

/* Add a step. Return true to stop when the result cannot change any more. */
static bool sum_step(void *context, const struct step *step)
{
    struct summing *summing = context;
    const struct effects *effects = &step->effects;
    uint16_t written = general_of(&summing->writes);

    if (effects->pushed >= 0 && !(written >> effects->pushed & 1))
        summing->saved |= (uint16_t)(1u << effects->pushed);
    if (effects->popped >= 0)
        summing->restored |= (uint16_t)(1u << effects->popped);
    summing->writes = registers_or(summing->writes, effects->touches);
    sum_outside(summing, step);
    if (sum_call(summing, step))
        return true;
    if (effects->kind == EFFECT_RETURN || (step->outside && !step_calls(step)) || step->exits)
        summing->facts->returns = true;
    if (step->unresolved)
        summing->facts->followed = false;
    summing->settled =
        summing->facts->needs_aligned && is_all(&summing->writes) && !(summing->saved & 0x0fc7);
    return summing->settled;
}

static void sum_flow(struct summing *summing, const struct step *step, uint32_t function)
{
    struct callee *callee;

    summing->facts->returns |= step->exits || step->unresolved;
    if (step->unresolved)
        summing->facts->followed = false;
    if (step->function == NO_FUNCTION || step->function == function)
        return;
    callee = array_add(&summing->analysis->callees, sizeof(*callee));
    if (callee)
        *callee = (struct callee){step->function, is_aligned(step)};
}

static void sum_body(struct summing *summing)
{
    struct analysis *analysis = summing->analysis;
    struct body *body = &analysis->summary;

    summing->facts->followed = true;
    summing->pending = NO_FUNCTION;
    facts_read(analysis, body, summing->function, sum_step, summing);
    summing->facts->is_stub = is_stub(body);
    if (summing->pending != NO_FUNCTION)
        return;
    if (summing->settled) {
        summing->facts->returns = true; /* the rest was not read */
        return;
    }
    summing->facts->followed &= !body->cut;
    for (size_t i = 0; i < body_count(body); i++)
        sum_flow(summing, body_step(body, i), summing->function);
}

/* Read the function, and again after each callee that had to be read first. */
static void sum_first(struct summing *summing, unsigned depth)
{
    for (unsigned n = 0;; n++) {
        summing->looks_first = n < LOOKS_FIRST && depth < WRITES_DEPTH;
        sum_body(summing);
        if (summing->pending == NO_FUNCTION)
            return;
        facts_of(summing->analysis, summing->pending, depth + 1);
    }
}

/* Add the callees. A callee is entered with the stack before the call. */
static void sum_callees(struct summing *summing, size_t first, unsigned depth)
{
    struct array *callees = &summing->analysis->callees;

    for (size_t at = first; at < callees->used; at += sizeof(struct callee)) {
        struct callee callee = *(struct callee *)((char *)callees->bytes + at);
        const struct facts *facts;

        if (is_all(&summing->writes) && (summing->facts->needs_aligned || !callee.aligned))
            continue;
        facts = facts_of(summing->analysis, callee.function, depth + 1);
        summing->writes = registers_or(summing->writes, facts->writes);
        summing->facts->needs_aligned |= callee.aligned && facts->needs_aligned;
    }
}

const struct facts *facts_of(struct analysis *analysis, uint32_t function, unsigned depth)
{
    struct facts *facts = &analysis->facts[function];
    struct summing summing = {.analysis = analysis, .facts = facts, .function = function};
    size_t first = analysis->callees.used;
    uint16_t kept;

    if (facts->state != FACTS_UNKNOWN || depth > WRITES_DEPTH)
        return facts;
    facts->state = FACTS_BUSY;
    sum_first(&summing, depth);
    if (!summing.settled)
        sum_callees(&summing, first, depth);
    analysis->callees.used = first;
    kept = summing.saved & summing.restored & 0x0fc7;
    facts->writes = registers_and(summing.writes, registers_caller_saved());
    facts->writes = registers_without(facts->writes, general_registers(kept));
    facts->state = FACTS_KNOWN;
    return facts;
}

/* ------------------------------------------------------- read registers --- */

static uint8_t opcode_at(const struct analysis *analysis, uint32_t site)
{
    uint8_t bytes[2] = {0};

    branch_index_read(&analysis->index, analysis->index.low + site, bytes, sizeof(bytes));
    return bytes[0] == 0xff && bytes[1] == 0x15 ? 0xe8 : bytes[0];
}

/* Return whether the branch is a jump of another function. */
static bool is_foreign_jump(const struct analysis *analysis, uint32_t function, uint32_t site)
{
    const struct branch_index *index = &analysis->index;
    uint64_t begins;

    return branch_index_function(index, index->low + site) != function &&
           branch_index_confirm(index, site, index->functions[function].address, &begins) ==
               BRANCH_CONFIRMED;
}

static bool find_part(const struct analysis *analysis, uint32_t function)
{
    const struct branch_index *index = &analysis->index;
    uint32_t first = index->first[function], end = index->first[function + 1];

    for (uint32_t i = first; i < end; i++)
        if (opcode_at(analysis, index->sites[i]) == 0xe8)
            return false;
    for (uint32_t i = first; i < end; i++)
        if (is_foreign_jump(analysis, function, index->sites[i]))
            return true;
    return false;
}

/* A part of another function, which is jumped to and never called; a function that is entered by tail
 * calls alone looks the same. */
bool facts_is_part(const struct analysis *analysis, uint32_t function)
{
    struct facts *facts = &analysis->facts[function];

    if (facts->part == PART_UNKNOWN)
        facts->part = find_part(analysis, function) ? PART_YES : PART_NO;
    return facts->part == PART_YES;
}

static struct registers all_arguments(void)
{
    struct registers set = vector_registers(0xff);

    set.general = general_parts(1 << RAX | 1 << RDI | 1 << RSI | 1 << RDX | 1 << RCX | 1 << R8 |
                                1 << R9 | 1 << R10);
    return set;
}

struct registers facts_uses(struct analysis *analysis, uint32_t function, unsigned depth)
{
    struct facts *facts = &analysis->facts[function];
    struct body *body = &analysis->bodies[depth];
    struct flow flow = {.analysis = analysis,
                        .body = body,
                        .function = facts_is_part(analysis, function) ? NO_FUNCTION : function,
                        .depth = depth,
                        .no_returns = true};

    if (facts->uses_state == FACTS_KNOWN)
        return facts->uses;
    if (facts->uses_state == FACTS_BUSY)
        return all_arguments();
    facts->uses_state = FACTS_BUSY;
    facts_read(analysis, body, function, NULL, NULL);
    flow_run(&flow);
    facts->uses = body->cut || body_count(body) == 0
                      ? registers_caller_saved()
                      : registers_and(body_step(body, 0)->live_before, registers_caller_saved());
    facts->uses_state = FACTS_KNOWN;
    return facts->uses;
}

/* ------------------------------------------------------- its arguments --- */

static void lower_arguments(struct facts *facts, const struct registers *defined)
{
    unsigned integers = flow_integers(defined), vectors = flow_vectors(defined);

    if (facts->integers_seen > integers)
        facts->integers_seen = (uint8_t)integers;
    if (facts->vectors_seen > vectors)
        facts->vectors_seen = (uint8_t)vectors;
    facts->variadic &= flow_count_is_set(defined);
}

static void start_arguments(struct facts *facts)
{
    if (facts->arguments_seen)
        return;
    facts->arguments_seen = true;
    facts->integers_seen = facts->vectors_seen = UINT8_MAX;
    facts->variadic = true;
}

void facts_note_arguments(struct analysis *analysis, uint32_t function, const struct body *body)
{
    if (function == NO_FUNCTION || analysis->facts[function].looked_through)
        return;
    analysis->facts[function].looked_through = true;
    for (size_t i = 0; i < body_count(body) && !body->cut; i++) {
        const struct step *step = body_step(body, i);

        if (step->function == NO_FUNCTION || !step_calls(step))
            continue;
        start_arguments(&analysis->facts[step->function]);
        lower_arguments(&analysis->facts[step->function], &step->defined);
    }
}

/* Read the arguments that are set before each call of a function. */
static void look_through(struct analysis *analysis, uint32_t function)
{
    bool part = facts_is_part(analysis, function);
    struct flow flow = {
        .analysis = analysis, .body = &analysis->sample, .function = part ? NO_FUNCTION : function};

    if (analysis->facts[function].looked_through)
        return;
    facts_read(analysis, flow.body, function, NULL, NULL);
    flow_forward(&flow, false);
    facts_note_arguments(analysis, function, flow.body);
}

/* Set the number of arguments. Those of a variadic function differ between calls. */
static void settle_arguments(struct facts *facts)
{
    bool known = facts->arguments_seen && !facts->variadic;

    facts->integers = known ? facts->integers_seen : UINT8_MAX;
    facts->vectors = known ? facts->vectors_seen : UINT8_MAX;
}

const struct facts *facts_arguments(struct analysis *analysis, uint32_t function)
{
    const struct branch_index *index = &analysis->index;
    struct facts *facts = &analysis->facts[function];
    uint32_t first = index->first[function], count = index->first[function + 1] - first;

    for (uint32_t i = 0; i < SAMPLES && i < count && !facts->arguments_known; i++) {
        uint32_t site = index->sites[first + (count <= SAMPLES ? i : i * (count / SAMPLES))];
        int64_t around = branch_index_function(index, index->low + site);

        if (around >= 0 && opcode_at(analysis, site) == 0xe8)
            look_through(analysis, (uint32_t)around);
    }
    facts->arguments_known = true;
    settle_arguments(facts);
    return facts;
}
