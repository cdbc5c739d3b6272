/*
 * callers_body.c - see callers_body.h. Listener or command; reads only the code of the index.
 */
#include "arch/x86_64/callers_body.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/callers_seen.h"
#include "arch/x86_64/callers_table.h"

enum { STEPS_MAX = 1 << 16, LENGTH_MAX = 15, SLOTS = 1024, KEPT_BYTES = 1 << 17 };

/* An address that must still be read. */
struct work {
    uint64_t address;
    struct stack_state stack;
    int32_t before;
};

/* The range of addresses of the code that is being read. */
struct interval {
    uint64_t begin, end; /* [begin, end): of one function, or between functions */
};

struct reading {
    struct body *body;
    uint64_t root;
    uint64_t *budget;
    struct interval interval;
    bool stopped;
};

/* ------------------------------------------------------- steps by address --- */

static uint32_t step_slot(const struct body *body, uint64_t address)
{
    return (uint32_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (body->slot_count - 1);
}

static int32_t find_step(const struct body *body, uint64_t address)
{
    for (uint32_t at = step_slot(body, address);; at = (at + 1) & (body->slot_count - 1)) {
        if (!body->slots[at])
            return -1;
        if (body_step(body, body->slots[at] - 1)->address == address)
            return (int32_t)body->slots[at] - 1;
    }
}

static void enter_step(const struct body *body, uint32_t number)
{
    uint32_t at = step_slot(body, body_step(body, number)->address);

    while (body->slots[at])
        at = (at + 1) & (body->slot_count - 1);
    body->slots[at] = number + 1;
}

/* Allocate `count` empty slots. */
static bool take_slots(struct body *body, uint32_t count)
{
    uint32_t *slots = body->slots;

    if (body->slot_room < count) {
        slots = malloc(count * sizeof(*slots));
        if (!slots)
            return false;
        free(body->slots);
        body->slots = slots;
        body->slot_room = count;
    }
    body->slot_count = count;
    memset(slots, 0, count * sizeof(*slots));
    return true;
}

/* Grow the slots, so that at most half of them are in use. */
static bool make_room(struct body *body)
{
    size_t count = body_count(body);

    if (count * 2 < body->slot_count)
        return true;
    if (!take_slots(body, body->slot_count * 2))
        return false;
    for (uint32_t i = 0; i < count; i++)
        enter_step(body, i);
    return true;
}

static bool clear(struct body *body)
{
    body->steps.used = body->edges.used = body->work.used = 0;
    body->cut = false;
    return take_slots(body, SLOTS);
}

void body_free(struct body *body)
{
    array_free(&body->steps);
    array_free(&body->edges);
    array_free(&body->work);
    array_free(&body->rounds);
    free(body->slots);
    *body = (struct body){0};
}

void body_rest(struct body *body)
{
    array_rest(&body->steps, KEPT_BYTES);
    array_rest(&body->edges, KEPT_BYTES);
    array_rest(&body->work, KEPT_BYTES);
    array_rest(&body->rounds, KEPT_BYTES);
    if (body->slot_room <= KEPT_BYTES / sizeof(*body->slots))
        return;
    free(body->slots);
    body->slots = NULL;
    body->slot_count = body->slot_room = 0;
}

size_t body_memory(const struct body *body)
{
    return body->steps.room + body->edges.room + body->work.room + body->rounds.room +
           body->slot_room * sizeof(*body->slots);
}

/* ------------------------------------------------------- addresses of branches --- */

uint64_t step_site(const struct step *step)
{
    const struct effects *effects = &step->effects;
    uint64_t end = step->address + effects->length;
    bool is_short;

    switch (effects->kind) {
    case EFFECT_CALL:
        return end - 5;
    case EFFECT_CALL_WORD:
    case EFFECT_JUMP_WORD:
        return end - 6;
    case EFFECT_JUMP:
    case EFFECT_BRANCH:
        is_short = effects->field_bytes == 1;
        return end - (is_short ? 2 : effects->kind == EFFECT_JUMP ? 5 : 6);
    default:
        return step->address;
    }
}

/* ------------------------------------------------------- jump tables --- */

static bool is_code(const struct branch_index *index, uint64_t address)
{
    for (size_t i = 0; i < index->object.code_count; i++)
        if (address - index->object.code[i].address < index->object.code[i].size)
            return true;
    return false;
}

/* Add the targets of a jump table. If its length is not known, it ends at the first entry that leads out of the
 * function. */
static void add_edges(struct reading *reading, struct step *step, const struct table *table)
{
    struct body *body = reading->body;
    size_t limit = table->count ? table->count : TABLE_ENTRIES_MAX;

    step->edges = (uint32_t)(body->edges.used / sizeof(uint64_t));
    for (size_t i = 0; i < limit; i++) {
        uint64_t target, *edge;

        if (!table_entry(body, table, i, &target) || !is_code(body->index, target) ||
            (!table->count &&
             target - reading->interval.begin >= reading->interval.end - reading->interval.begin)) {
            step->unresolved |= table->count != 0;
            break;
        }
        edge = array_add(&body->edges, sizeof(*edge));
        if (!edge) {
            body->cut = true;
            break;
        }
        *edge = target;
        step->edge_count++;
    }
}

static void follow_table(struct reading *reading, int32_t jump)
{
    struct step *step = body_step(reading->body, (size_t)jump);
    struct table table;

    if (!table_find(reading->body, jump, &table)) {
        step->outside = true;
        step->unresolved = !step_at_entry_level(step);
        return;
    }
    step->unresolved = table.count == 0;
    add_edges(reading, step, &table);
}

/* ------------------------------------------------------- following --- */

static void add_work(struct reading *reading, uint64_t address, int32_t before)
{
    struct work *work = array_add(&reading->body->work, sizeof(*work));
    const struct step *step = body_step(reading->body, (size_t)before);

    if (work)
        *work = (struct work){address, step_stack_after(step), before};
    reading->body->cut |= !work;
}

/* Return whether the address is after the first byte of the range that is being read, and no function begins there. */
static bool is_inside(const struct reading *reading, uint64_t address)
{
    return address > reading->interval.begin && address < reading->interval.end;
}

/* Set the target of a call or jump: an entry, or another address. */
static void lead_to(struct reading *reading, int32_t number, uint64_t target)
{
    struct step *step = body_step(reading->body, (size_t)number);
    bool call = step->effects.kind == EFFECT_CALL || step->effects.kind == EFFECT_CALL_WORD;
    uint32_t function;

    if (!is_inside(reading, target) &&
        branch_index_begins(reading->body->index, target, &function) &&
        (call || target != reading->root)) {
        step->function = function;
        step->exits = !call;
    } else if (call) {
        step->outside = true;
    } else if (!is_code(reading->body->index, target)) {
        step->outside = true;
    } else {
        step->effects.target = target;
        add_work(reading, target, number);
    }
}

static bool loads_descriptor(const struct body *body, const struct step *step)
{
    const struct step *before = step->before >= 0 ? body_step(body, (size_t)step->before) : NULL;

    return before && before->effects.table == TABLE_ADDRESS && before->effects.to == RAX;
}

static void lead_through_word(struct reading *reading, int32_t number)
{
    struct step *step = body_step(reading->body, (size_t)number);
    uint64_t target;

    if (branch_index_word(reading->body->index, step->effects.target, &target))
        lead_to(reading, number, target);
    else
        step->outside = true;
}

static void follow_edges(struct reading *reading, int32_t number)
{
    const struct step *step = body_step(reading->body, (size_t)number);
    uint32_t first = step->edges, count = step->edge_count;

    for (uint32_t i = 0; i < count; i++)
        add_work(reading, ((uint64_t *)reading->body->edges.bytes)[first + i], number);
}

/* Return whether the next instruction follows this one. */
static bool follow(struct reading *reading, int32_t number)
{
    struct step *step = body_step(reading->body, (size_t)number);

    switch (step->effects.kind) {
    case EFFECT_BRANCH:
        lead_to(reading, number, step->effects.target);
        return true;
    case EFFECT_JUMP:
        lead_to(reading, number, step->effects.target);
        return false;
    case EFFECT_JUMP_WORD:
        lead_through_word(reading, number);
        return false;
    case EFFECT_JUMP_UNKNOWN:
        follow_table(reading, number);
        follow_edges(reading, number);
        return false;
    case EFFECT_CALL:
        lead_to(reading, number, step->effects.target);
        return true;
    case EFFECT_CALL_WORD:
        lead_through_word(reading, number);
        return true;
    case EFFECT_CALL_AT_RAX:
        if (loads_descriptor(reading->body, step))
            step->effects.kind = EFFECT_PLAIN;
        else
            step->outside = true;
        return true;
    case EFFECT_CALL_UNKNOWN:
        step->outside = true;
        return true;
    case EFFECT_RETURN:
    case EFFECT_END:
        return false;
    default:
        return true;
    }
}

/* ------------------------------------------------------- reading --- */

static void find_interval(struct reading *reading, uint64_t address)
{
    const struct branch_index *index = reading->body->index;
    const struct arch_function *function;
    int64_t around;
    uint64_t next;

    if (is_inside(reading, address))
        return;
    around = branch_index_function(index, address);
    function = around >= 0 ? &index->functions[around] : NULL;
    next = around + 1 < index->function_count ? index->functions[around + 1].address : UINT64_MAX;
    reading->interval = (struct interval){0, next};
    if (!function)
        return;
    reading->interval.begin = function->address;
    if (function->size == 0)
        return;
    if (address - function->address < function->size)
        reading->interval.end =
            next - function->address < function->size ? next : function->address + function->size;
    else
        reading->interval.begin = function->address + function->size;
}

/* Initialise a step, except the members that callers_flow.c sets. */
static void start_step(struct step *step, const struct work *work)
{
    step->address = work->address;
    step->stack = work->stack;
    step->before = work->before;
    step->next = step->other = -1;
    step->function = NO_FUNCTION;
    step->edges = step->edge_count = 0;
    step->exits = step->outside = step->unresolved = step->ends = false;
}

static int32_t add_step(struct reading *reading, const struct work *work)
{
    struct body *body = reading->body;
    uint8_t bytes[SEEN_BYTES] = {0};
    struct step *step;
    size_t there;

    if (body_count(body) >= STEPS_MAX || *reading->budget == 0 || !make_room(body)) {
        body->cut = true;
        return -1;
    }
    --*reading->budget;
    step = array_add(&body->steps, sizeof(*step));
    if (!step) {
        body->cut = true;
        return -1;
    }
    start_step(step, work);
    there = branch_index_read(body->index, work->address, bytes, LENGTH_MAX);
    if (!seen_decode(body->index->seen, bytes, there, work->address, &step->effects)) {
        step->effects = (struct effects){.length = 1, .kind = EFFECT_END};
        step->unresolved = true;
    }
    enter_step(body, (uint32_t)body_count(body) - 1);
    return (int32_t)body_count(body) - 1;
}

/* Return whether this is padding after a call that does not return. */
static bool is_after_call(const struct body *body, int32_t number)
{
    for (; number >= 0; number = body_step(body, (size_t)number)->before) {
        const struct step *step = body_step(body, (size_t)number);

        if (step_calls(step))
            return true;
        if (!step->effects.nothing)
            return false;
    }
    return false;
}

/* Handle the end of a function's bytes, or the start of another function. Return false if reading ends there. */
static bool go_past_end(struct reading *reading, int32_t number, uint64_t address)
{
    struct step *step = body_step(reading->body, (size_t)number);
    uint32_t function;

    if (is_after_call(reading->body, number)) {
        step->ends = true;
        return false;
    }
    if (address != reading->root && branch_index_begins(reading->body->index, address, &function)) {
        step->unresolved |= step->exits; /* to two functions */
        step->function = function;
        step->exits = true;
        return false;
    }
    find_interval(reading, address);
    return true;
}

static void read_line(struct reading *reading, struct work *work, body_visit *visit, void *context)
{
    int32_t number = -1;

    find_interval(reading, work->address);
    while (!reading->stopped && find_step(reading->body, work->address) < 0) {
        int32_t previous = number;
        bool goes_on;

        number = add_step(reading, work);
        if (number < 0)
            return;
        if (previous >= 0)
            body_step(reading->body, (size_t)previous)->next = number;
        goes_on = follow(reading, number);
        reading->stopped = visit && visit(context, body_step(reading->body, (size_t)number));
        if (!goes_on)
            return;
        work->address += body_step(reading->body, (size_t)number)->effects.length;
        work->stack = step_stack_after(body_step(reading->body, (size_t)number));
        work->before = number;
        if (work->address >= reading->interval.end && !go_past_end(reading, number, work->address))
            return;
    }
}

static void resolve(struct body *body)
{
    size_t count = body_count(body);

    for (size_t i = 0; i < count; i++) {
        struct step *step = body_step(body, i);
        uint8_t kind = step->effects.kind;

        if (kind != EFFECT_JUMP && kind != EFFECT_JUMP_WORD && kind != EFFECT_JUMP_UNKNOWN &&
            kind != EFFECT_RETURN && kind != EFFECT_END && !step->ends && step->next < 0)
            step->next = find_step(body, step->address + step->effects.length);
        if ((kind == EFFECT_JUMP || kind == EFFECT_BRANCH || kind == EFFECT_JUMP_WORD) &&
            !step->exits && !step->outside)
            step->other = find_step(body, step->effects.target);
        for (uint32_t k = 0; k < step->edge_count; k++) {
            uint64_t *edge = (uint64_t *)body->edges.bytes + step->edges + k;

            *edge = (uint64_t)(int64_t)find_step(body, *edge);
        }
    }
}

void body_read(struct body *body, const struct branch_index *index, uint64_t root,
               struct pointer_place stack, uint64_t *budget, body_visit *visit, void *context)
{
    struct reading reading = {.body = body, .root = root, .budget = budget};
    struct work *first, work;

    body->index = index;
    if (!clear(body) || !(first = array_add(&body->work, sizeof(*first)))) {
        body->cut = true;
        return;
    }
    *first = (struct work){.address = root, .stack.stack = stack, .before = -1};
    while (body->work.used > 0 && !reading.stopped && !body->cut) {
        body->work.used -= sizeof(work);
        memcpy(&work, (char *)body->work.bytes + body->work.used, sizeof(work));
        read_line(&reading, &work, visit, context);
    }
    if (!reading.stopped)
        resolve(body);
}
