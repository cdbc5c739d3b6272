/*
 * callers_steps.h - the steps of a body (callers_body.h). Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_STEPS_H
#define HOTPATCH_CALLERS_STEPS_H

#include "arch/x86_64/callers_array.h"
#include "arch/x86_64/callers_effects.h"
#include "arch/x86_64/callers_index.h"

#define NO_FUNCTION UINT32_MAX

/* The value of rsp or rbp. */
struct pointer_place {
    enum {
        PLACE_UNKNOWN,
        PLACE_ENTRY,
        PLACE_ALIGNED
    } from;         /* rsp at the entry; a multiple of 16 */
    int32_t offset; /* bytes, from there */
};

struct stack_state {
    struct pointer_place stack, frame;
};

struct step {
    struct effects effects;
    uint64_t address;
    struct stack_state stack;   /* before it, on the first path found */
    int32_t before;             /* the step from which it was first reached, or -1 */
    int32_t next, other;        /* the steps that follow: falling through, jumping; or -1 */
    uint32_t function;          /* that is called, or entered by a jump (an exit); or NO_FUNCTION */
    uint32_t edges, edge_count; /* of a jump table: in `edges` of the body */
    bool exits;                 /* leads to another function's entry (by falling through, too) */
    bool outside;               /* leads out of the object, or to an unknown place */
    bool unresolved;            /* the following code is not known */
    bool ends;                  /* a call that does not return, or padding after one */
    struct registers live;      /* afterwards; of a call: after it has returned */
    struct registers live_before;
    struct registers defined; /* before it: may hold a value put there */
    struct registers
        carried; /* of these, since before a call of a function that does not write them */
};

struct body {
    const struct branch_index *index;
    struct array steps; /* struct step; the first one is the root */
    struct array edges; /* addresses, then numbers of steps */
    struct array work;
    struct array rounds;            /* callers_flow.c: a byte for each step */
    uint32_t *slots;                /* hash of addresses: step number + 1 */
    uint32_t slot_count, slot_room; /* slots in use; allocated slots */
    bool cut;                       /* more code than was read, or memory is short */
};

static inline struct step *body_step(const struct body *body, size_t i)
{
    return (struct step *)body->steps.bytes + i;
}

static inline size_t body_count(const struct body *body)
{
    return body->steps.used / sizeof(struct step);
}

static inline bool step_calls(const struct step *step)
{
    return step->effects.kind >= EFFECT_CALL && step->effects.kind <= EFFECT_CALL_AT_RAX;
}

#endif
