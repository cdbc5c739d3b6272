/*
 * stack_arguments.c - see ../stack_arguments.h.
 *
 * Each instruction is visited once for each stack pointer with which it is reached. In compiled code this is one,
 * except for code after a call that does not return. Code to which no branch leads (the cases of a switch, landing
 * pads of exceptions) is visited with the stack pointer of the jump through a table, or else with that of the deepest
 * call.
 */
#include "arch/stack_arguments.h"

#include <stdbool.h>
#include <stdlib.h>

#include "arch/x86_64/stack_steps.h"

enum { PIECES_MAX = 16, PIECE_BYTES_MAX = 1 << 16, VISITS_MAX = 1 << 17, PLACES = 3 };

struct visit {
    uint64_t at;
    struct stack_place place;
};

/* For each byte: the stack positions with which an instruction that begins there has been visited. */
struct places_seen {
    struct stack_place places[PLACES];
    uint8_t count;
    bool inside; /* of an instruction */
};

/* A function, or a part of one that lies elsewhere (NAME.cold). */
struct piece {
    uint64_t begin;
    size_t size, done; /* all code before `done` has been visited */
    const uint8_t *code;
    struct places_seen *seen;
    struct stack_place table, deepest; /* of a jump through a table; of a call */
    bool has_table, has_call;
};

struct search {
    arch_code_around *code_around;
    void *context;
    struct piece pieces[PIECES_MAX];
    unsigned piece_count, visits;
    struct visit *waiting;
    size_t waiting_count, waiting_room;
    bool unknown;
    int64_t bytes;
};

static void give_up(struct search *s)
{
    s->unknown = true;
}

static struct piece *piece_at(struct search *s, uint64_t at)
{
    struct piece piece = {0};

    for (unsigned i = 0; i < s->piece_count; i++)
        if (at - s->pieces[i].begin < s->pieces[i].size)
            return &s->pieces[i];
    piece.code = s->code_around(s->context, at, &piece.begin, &piece.size);
    if (!piece.code || at - piece.begin >= piece.size || piece.size > PIECE_BYTES_MAX ||
        s->piece_count == PIECES_MAX)
        return NULL;
    piece.seen = calloc(piece.size, sizeof(*piece.seen));
    if (!piece.seen)
        return NULL;
    s->pieces[s->piece_count] = piece;
    return &s->pieces[s->piece_count++];
}

static void wait_for(struct search *s, uint64_t at, const struct stack_place *place)
{
    if (s->waiting_count == s->waiting_room) {
        size_t room = s->waiting_room ? 2 * s->waiting_room : 64;
        struct visit *longer = realloc(s->waiting, room * sizeof(*longer));

        if (!longer) {
            give_up(s);
            return;
        }
        s->waiting = longer;
        s->waiting_room = room;
    }
    s->waiting[s->waiting_count++] = (struct visit){at, *place};
}

static bool same(const struct stack_place *a, const struct stack_place *b)
{
    return a->depth_known == b->depth_known && a->frame_known == b->frame_known &&
           (!a->depth_known || a->depth == b->depth) && (!a->frame_known || a->frame == b->frame);
}

/* Record a visit. Return false if the instruction has been visited with this position. */
static bool is_first(struct search *s, struct places_seen *seen, const struct stack_place *place)
{
    for (unsigned i = 0; i < seen->count; i++)
        if (same(&seen->places[i], place))
            return false;
    if (seen->count == PLACES) {
        give_up(s);
        return false;
    }
    seen->places[seen->count++] = *place;
    return true;
}

static void note_step(struct search *s, struct piece *piece, const struct stack_step *step,
                      const struct stack_place *before)
{
    if (step->reads < 0)
        give_up(s);
    else if (step->reads > s->bytes)
        s->bytes = step->reads;
    if (step->calls && before->depth_known &&
        (!piece->has_call || before->depth > piece->deepest.depth)) {
        piece->deepest = *before;
        piece->has_call = true;
    }
}

/* Record a jump through a table. At the depth of the entry it may be a tail call, of a function that reads its
 * arguments. */
static void note_table_place(struct search *s, struct piece *piece, const struct stack_place *place)
{
    bool ends = place->depth_known ? place->depth <= 0 : !place->frame_known;

    if (ends || (piece->has_table && !same(&piece->table, place))) {
        give_up(s);
        return;
    }
    piece->table = *place;
    piece->has_table = true;
}

/* Visit one instruction. Return false if the next is not reached, or has been visited. */
static bool visit(struct search *s, struct visit *v)
{
    struct piece *piece = piece_at(s, v->at);
    struct stack_step step;
    size_t offset;

    if (!piece || ++s->visits > VISITS_MAX) {
        give_up(s);
        return false;
    }
    offset = v->at - piece->begin;
    if (!is_first(s, &piece->seen[offset], &v->place))
        return false;
    if (!stack_step(piece->code + offset, piece->size - offset, v->at, &v->place, &step)) {
        give_up(s);
        return false;
    }
    for (size_t i = 1; i < step.length; i++)
        piece->seen[offset + i].inside = true;
    note_step(s, piece, &step, &v->place);
    if (step.flow == FLOW_BRANCH || step.flow == FLOW_JUMP)
        wait_for(s, step.target, &step.after);
    if (step.flow == FLOW_TABLE)
        note_table_place(s, piece, &v->place);
    *v = (struct visit){v->at + step.length, step.after};
    /* After a last call that does not return another function begins. */
    return (step.flow == FLOW_ON || step.flow == FLOW_BRANCH) && v->at - piece->begin < piece->size;
}

static void visit_waiting(struct search *s)
{
    while (s->waiting_count > 0 && !s->unknown) {
        struct visit v = s->waiting[--s->waiting_count];

        while (!s->unknown && visit(s, &v))
            continue;
    }
}

/* Find the first instruction of the piece to which no branch has led; padding is left out. */
static bool find_left_out(struct piece *piece, uint64_t *at)
{
    static const struct stack_place nowhere;

    while (piece->done < piece->size) {
        const struct places_seen *seen = &piece->seen[piece->done];
        struct stack_step step;

        if (seen->count || seen->inside) {
            piece->done++;
        } else if (!stack_step(piece->code + piece->done, piece->size - piece->done, 0, &nowhere,
                               &step)) {
            return false;
        } else if (step.padding) {
            piece->done += step.length;
        } else {
            *at = piece->begin + piece->done;
            return true;
        }
    }
    return false;
}

static bool visit_left_out(struct search *s)
{
    for (unsigned i = 0; i < s->piece_count; i++) {
        struct piece *piece = &s->pieces[i];
        uint64_t at;

        if (!(piece->has_table || piece->has_call) || !find_left_out(piece, &at))
            continue;
        wait_for(s, at, piece->has_table ? &piece->table : &piece->deepest);
        visit_waiting(s);
        return true;
    }
    return false;
}

int64_t arch_stack_arguments(uint64_t entry, arch_code_around *code_around, void *context)
{
    struct search s = {.code_around = code_around, .context = context};
    const struct stack_place at_entry = {.depth_known = true};

    wait_for(&s, entry, &at_entry);
    visit_waiting(&s);
    while (!s.unknown && visit_left_out(&s))
        continue;
    for (unsigned i = 0; i < s.piece_count; i++)
        free(s.pieces[i].seen);
    free(s.waiting);
    return s.unknown ? -1 : s.bytes;
}
