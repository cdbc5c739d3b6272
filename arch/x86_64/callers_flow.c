/*
 * callers_flow.c - see callers_flow.h.
 *
 * Two passes over the steps, repeated until no set changes. Forward: which registers may hold a value that the
 * function or its caller put there ("defined"), and which of them have held it since before a call ("carried").
 * Backward: which registers are read before they are written ("live").
 *
 * The registers that a call reads are needed only if a register is carried to the call: a register that was set after
 * the last call is live across no call. They are known for a function of the same object. For a function of another
 * object, arguments are assumed in the order of the psABI as long as they are defined. A register that a call has
 * overwritten and no instruction has set since is no argument, nor are the registers after it. The function has no
 * more arguments than all of the callers that were read have set. A return reads the result registers that are
 * defined.
 *
 * Vector registers count as arguments and results of other objects' functions only if the function around the call
 * handles floats or doubles. Otherwise each call of a void function would count as a call that passes xmm0 on.
 */
#include "arch/x86_64/callers_flow.h"

#include <string.h>

enum { ROUNDS_MAX = 64, VECTOR_ARGUMENTS = 8 };

static const uint8_t argument_order[] = {RDI, RSI, RDX, RCX, R8, R9};

enum { INTEGER_ARGUMENTS = sizeof(argument_order) };

/* rax counts as the number of vector arguments if an instruction, not a call, has set it. This is recorded in the bit
 * of a register that is otherwise unused. */
#define COUNT_IS_SET (UINT64_C(1) << RSP)
/* The same for rdx, which otherwise is the third argument and not half a result. */
#define RDX_IS_SET (UINT64_C(1) << RBP)

static struct registers arguments(unsigned integers, unsigned vectors)
{
    uint32_t bits = vectors < VECTOR_ARGUMENTS ? (1u << vectors) - 1 : (1u << VECTOR_ARGUMENTS) - 1;
    struct registers set = vector_registers(bits);

    set.vector |= (uint64_t)bits << 32;
    set.wide = bits;
    for (unsigned i = 0; i < INTEGER_ARGUMENTS && i < integers; i++)
        set.general |= general_parts(UINT64_C(1) << argument_order[i]);
    return set;
}

unsigned flow_integers(const struct registers *defined)
{
    unsigned count = 0;

    while (count < INTEGER_ARGUMENTS && (general_of(defined) >> argument_order[count] & 1))
        count++;
    return count;
}

unsigned flow_vectors(const struct registers *defined)
{
    unsigned count = 0;

    while (count < VECTOR_ARGUMENTS && (vectors_of(defined) >> count & 1))
        count++;
    return count;
}

bool flow_count_is_set(const struct registers *defined)
{
    return (defined->general & COUNT_IS_SET) != 0;
}

/* ------------------------------------------------------- calls --- */

static struct registers written_by(struct flow *flow, const struct step *step)
{
    struct registers none = {0};

    if (step->function == NO_FUNCTION)
        return registers_caller_saved();
    if (flow->depth >= USES_DEPTH)
        return none;
    return flow->analysis->ask->of(flow->analysis, step->function, 0)->writes;
}

/* Return whether the callee is a stub of a PLT that leads out of the object, or a function that is not read. */
static bool is_opaque(struct flow *flow, const struct step *step)
{
    const struct facts *facts;

    if (step->function == NO_FUNCTION || flow->depth >= USES_DEPTH)
        return true;
    facts = flow->analysis->ask->of(flow->analysis, step->function, 0);
    return facts->is_stub;
}

/* Return the registers that an unknown function may read. */
static struct registers possible_arguments(struct flow *flow, const struct step *step)
{
    unsigned integers = flow_integers(&step->defined), vectors = flow_vectors(&step->defined);
    struct registers set = arguments(integers, vectors);
    const struct facts *facts;

    if (step->defined.general & COUNT_IS_SET)
        set.general |= general_parts(1 << RAX);
    set = registers_and(set, step->carried);
    if (registers_empty(set) || step->function == NO_FUNCTION)
        return set;
    facts = flow->analysis->ask->arguments(flow->analysis, step->function);
    if (facts->integers < integers)
        integers = facts->integers;
    if (facts->vectors < vectors)
        vectors = facts->vectors;
    return registers_and(set, registers_or(arguments(integers, vectors),
                                           general_registers(facts->variadic ? 1 << RAX : 0)));
}

/* Return the arguments of a known function. A function of the object reads no argument that none of its callers has
 * set. */
static struct registers known_arguments(struct flow *flow, const struct step *step)
{
    struct registers all = arguments(INTEGER_ARGUMENTS, VECTOR_ARGUMENTS), set;
    const struct facts *facts;

    set = registers_and(step->carried,
                        flow->analysis->ask->uses(flow->analysis, step->function, flow->depth + 1));
    if (registers_empty(registers_and(set, all)) || flow->no_returns)
        return set;
    facts = flow->analysis->ask->arguments(flow->analysis, step->function);
    return registers_or(registers_without(set, all),
                        registers_and(set, arguments(facts->integers, facts->vectors)));
}

/* Return the registers that the call reads, of those that are carried to it. */
static struct registers read_by(struct flow *flow, const struct step *step)
{
    struct registers none = {0};

    if (flow->reads_alone || registers_empty(step->carried))
        return none;
    if (is_opaque(flow, step))
        return possible_arguments(flow, step);
    return known_arguments(flow, step);
}

/* ------------------------------------------------------- forward --- */

struct state {
    struct registers defined, carried;
};

static struct state state_after(struct flow *flow, const struct step *step)
{
    struct state state = {registers_or(step->defined, step->effects.touches),
                          registers_without(step->carried, step->effects.writes)};
    struct registers written, results = flow->floats ? vector_registers(3) : vector_registers(0);

    state.defined.general &= ~(general_parts(1 << RSP | 1 << RBP) & ~(COUNT_IS_SET | RDX_IS_SET)) &
                             ~(step->effects.touches.general & (COUNT_IS_SET | RDX_IS_SET));
    state.defined.general |= step->defined.general & (COUNT_IS_SET | RDX_IS_SET);
    if (general_of(&step->effects.touches) >> RAX & 1)
        state.defined.general |= COUNT_IS_SET;
    if (general_of(&step->effects.touches) >> RDX & 1)
        state.defined.general |= RDX_IS_SET;
    if (!step_calls(step))
        return state;
    written = written_by(flow, step);
    state.defined = registers_without(state.defined, written);
    if (general_of(&written) >> RAX & 1)
        state.defined.general &= ~COUNT_IS_SET;
    if (general_of(&written) >> RDX & 1)
        state.defined.general &= ~RDX_IS_SET;
    state.carried = registers_and(state.defined, registers_caller_saved());
    /* Not rdx: it is no argument after a call, and as a result it is read or set again. */
    results.general = general_parts(1 << RAX);
    state.defined = registers_or(state.defined, results);
    return state;
}

/* Return the round of a step: the round in which it must be processed (forward), or in which it has changed
 * (backward). */
static uint8_t *round_of(const struct body *body, size_t i)
{
    return (uint8_t *)body->rounds.bytes + i;
}

static bool begin_rounds(struct body *body)
{
    size_t count = body_count(body);

    body->rounds.used = 0;
    if (!array_add(&body->rounds, count)) {
        body->cut = true;
        return false;
    }
    memset(body->rounds.bytes, 1, count);
    return true;
}

static bool join(struct body *body, int32_t at, const struct state *state)
{
    struct step *step = at >= 0 ? body_step(body, (size_t)at) : NULL;
    struct registers defined, carried;

    if (!step)
        return false;
    defined = registers_or(step->defined, state->defined);
    carried = registers_or(step->carried, state->carried);
    if (registers_equal(defined, step->defined) && registers_equal(carried, step->carried))
        return false;
    step->defined = defined;
    step->carried = carried;
    *round_of(body, (size_t)at) = 1;
    return true;
}

/* Process the steps whose registers have changed since the last time. */
static bool forward_once(struct flow *flow)
{
    struct body *body = flow->body;
    bool changed = false;

    for (size_t i = 0; i < body_count(body); i++) {
        const struct step *step = body_step(body, i);
        struct state state;

        if (!*round_of(body, i))
            continue;
        *round_of(body, i) = 0;
        state = state_after(flow, step);
        changed |= join(body, step->next, &state);
        changed |= join(body, step->other, &state);
        for (uint32_t k = 0; k < step->edge_count; k++)
            changed |=
                join(body, (int32_t)((uint64_t *)body->edges.bytes)[step->edges + k], &state);
    }
    return changed;
}

static struct registers defined_at_root(struct flow *flow, bool bounded)
{
    struct registers set = arguments(INTEGER_ARGUMENTS, flow->floats ? VECTOR_ARGUMENTS : 0);
    const struct facts *facts;

    if (flow->function == NO_FUNCTION) {
        set = flow->floats ? vector_registers(UINT16_MAX) : vector_registers(0);
        set.general = general_parts(ARCH_GENERAL_CALLER_SAVED);
        return set;
    }
    if (!bounded)
        return set;
    facts = flow->analysis->ask->arguments(flow->analysis, flow->function);
    return registers_and(set, arguments(facts->integers, facts->vectors));
}

void flow_forward(struct flow *flow, bool bounded)
{
    struct registers none = {0};
    unsigned rounds = 0;

    flow->floats = false;
    for (size_t i = 0; i < body_count(flow->body); i++) {
        body_step(flow->body, i)->defined = body_step(flow->body, i)->carried = none;
        flow->floats |= body_step(flow->body, i)->effects.scalar_float;
    }
    if (body_count(flow->body) == 0 || !begin_rounds(flow->body))
        return;
    body_step(flow->body, 0)->defined = defined_at_root(flow, bounded);
    if (flow->no_returns || flow->function == NO_FUNCTION)
        body_step(flow->body, 0)->carried = body_step(flow->body, 0)->defined;
    while (forward_once(flow) && ++rounds < ROUNDS_MAX)
        ;
    flow->body->cut |= rounds == ROUNDS_MAX;
}

/* ------------------------------------------------------- backward --- */

static struct registers live_at(const struct body *body, int32_t at)
{
    struct registers none = {0};

    return at >= 0 ? body_step(body, (size_t)at)->live_before : none;
}

static struct registers live_at_return(const struct flow *flow, const struct step *step)
{
    struct registers none = {0}, results = registers_results();

    if (flow->reads_alone || flow->no_returns)
        return none;
    if (!(step->defined.general & RDX_IS_SET))
        results.general &= ~general_parts(1 << RDX);
    return registers_and(results, registers_and(step->defined, step->carried));
}

/* Return the live registers at a jump to another function's entry: those that the function reads, and those that it
 * passes on. */
static struct registers live_at_exit(struct flow *flow, const struct step *step)
{
    return registers_or(read_by(flow, step),
                        registers_without(live_at_return(flow, step), written_by(flow, step)));
}

static struct registers live_after(struct flow *flow, const struct step *step)
{
    struct registers live =
        registers_or(live_at(flow->body, step->next), live_at(flow->body, step->other));

    for (uint32_t k = 0; k < step->edge_count; k++)
        live = registers_or(
            live,
            live_at(flow->body, (int32_t)((uint64_t *)flow->body->edges.bytes)[step->edges + k]));
    if (step->effects.kind == EFFECT_RETURN)
        live = registers_or(live, live_at_return(flow, step));
    else if (step->exits || (step->outside && !step_calls(step)))
        live = registers_or(live, live_at_exit(flow, step));
    if (step->unresolved && !flow->reads_alone)
        live = registers_or(live, registers_caller_saved());
    return live;
}

/* Shift the positions of the x87 stack for a push or pop. */
static uint64_t shift_x87(uint64_t general, int pushed)
{
    uint8_t x87 = (uint8_t)(general >> X87_SHIFT);

    x87 = (uint8_t)(pushed > 0 ? x87 >> pushed : x87 << -pushed);
    return (general & ~(UINT64_C(0xff) << X87_SHIFT)) | (uint64_t)x87 << X87_SHIFT;
}

static struct registers live_before(struct flow *flow, const struct step *step)
{
    struct registers live = step->live, writes = step->effects.writes;

    if (step_calls(step))
        live = registers_or(registers_without(live, written_by(flow, step)), read_by(flow, step));
    live.general = shift_x87(live.general, step->effects.x87_push);
    if (step->effects.x87_push > 0)
        writes.general &= ~(UINT64_C(0xff) << X87_SHIFT);
    return registers_or(registers_without(live, writes), step->effects.reads);
}

static bool changed_since(const struct body *body, int32_t at, unsigned round)
{
    return at >= 0 && *round_of(body, (size_t)at) >= round;
}

/* Return whether a following step has changed in this round or the one before. The registers that calls read are
 * computed again each time, because more facts may be known. */
static bool is_due(const struct body *body, const struct step *step, unsigned round)
{
    if (step->function != NO_FUNCTION || step->outside || step_calls(step) ||
        changed_since(body, step->next, round) || changed_since(body, step->other, round))
        return true;
    for (uint32_t k = 0; k < step->edge_count; k++)
        if (changed_since(body, (int32_t)((uint64_t *)body->edges.bytes)[step->edges + k], round))
            return true;
    return false;
}

/* Process all due steps in a round. Rounds count from 2; all steps are due in the first round. */
static bool backward_once(struct flow *flow, unsigned round)
{
    bool changed = false;

    for (size_t i = body_count(flow->body); i-- > 0;) {
        struct step *step = body_step(flow->body, i);
        struct registers before;

        if (round > 2 && !is_due(flow->body, step, round - 1))
            continue;
        step->live = live_after(flow, step);
        before = live_before(flow, step);
        if (registers_equal(before, step->live_before))
            continue;
        changed = true;
        step->live_before = before;
        *round_of(flow->body, i) = (uint8_t)round;
    }
    return changed;
}

static void backward(struct flow *flow)
{
    struct registers none = {0};
    unsigned rounds = 0;

    for (size_t i = 0; i < body_count(flow->body); i++)
        body_step(flow->body, i)->live = body_step(flow->body, i)->live_before = none;
    if (body_count(flow->body) == 0 || !begin_rounds(flow->body))
        return;
    while (backward_once(flow, rounds + 2) && ++rounds < ROUNDS_MAX)
        ;
    flow->body->cut |= rounds == ROUNDS_MAX; /* not settled: the result is unknown */
}

/* Return whether a register is live after a call that the called function does not write. */
static bool finds_something(struct flow *flow)
{
    for (size_t i = 0; i < body_count(flow->body); i++) {
        const struct step *step = body_step(flow->body, i);
        struct registers live = registers_and(step->live, registers_caller_saved());

        if (step_calls(step) && step->function != NO_FUNCTION && !registers_empty(live) &&
            !registers_empty(registers_without(live, written_by(flow, step))))
            return true;
    }
    return false;
}

void flow_run(struct flow *flow)
{
    flow_forward(flow, false);
    if (!flow->no_returns)
        flow->analysis->ask->note_arguments(flow->analysis, flow->function, flow->body);
    backward(flow);
    if (flow->function == NO_FUNCTION || flow->no_returns || !finds_something(flow))
        return;
    flow_forward(flow, true);
    backward(flow);
}

/* ------------------------------------------------------- results --- */

/* Merge `written` into `live`, which holds the registers that every path has written before the step; at first, all. */
static bool meet(struct body *body, int32_t at, struct registers written)
{
    struct step *step = at >= 0 ? body_step(body, (size_t)at) : NULL;
    struct registers met;

    if (!step)
        return false;
    met = registers_and(step->live, written);
    if (registers_equal(met, step->live))
        return false;
    step->live = met;
    return true;
}

static struct registers written_after(struct flow *flow, const struct step *step)
{
    struct registers written = registers_or(step->live, step->effects.writes);

    if (step_calls(step))
        written = registers_or(written, written_by(flow, step));
    return written;
}

static bool results_once(struct flow *flow, struct registers *all)
{
    struct body *body = flow->body;
    bool changed = false;

    for (size_t i = 0; i < body_count(body); i++) {
        const struct step *step = body_step(body, i);
        struct registers written = written_after(flow, step);

        changed |= meet(body, step->next, written);
        changed |= meet(body, step->other, written);
        for (uint32_t k = 0; k < step->edge_count; k++)
            changed |=
                meet(body, (int32_t)((uint64_t *)body->edges.bytes)[step->edges + k], written);
        if (step->exits || (step->outside && !step_calls(step)))
            written = registers_or(written, written_by(flow, step));
        else if (step->effects.kind != EFFECT_RETURN)
            continue;
        *all = registers_and(*all, written);
    }
    return changed;
}

struct registers flow_results(struct flow *flow)
{
    struct registers all, none = {0};
    size_t count = body_count(flow->body);
    unsigned rounds = 0;

    for (size_t i = 0; i < count; i++)
        body_step(flow->body, i)->live = i > 0 ? registers_caller_saved() : none;
    do
        all = registers_results();
    while (results_once(flow, &all) && ++rounds < ROUNDS_MAX);
    return all;
}
