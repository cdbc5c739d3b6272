/*
 * callers_body.h - the instructions that are reached from one address, and the order in which they follow each other.
 *
 * A body ends at returns and where another function begins: a jump there is an exit. Code inside other functions to
 * which the body jumps belongs to the body (a hot part to which a cold part jumps back). Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_BODY_H
#define HOTPATCH_CALLERS_BODY_H

#include "arch/x86_64/callers_steps.h"

/* Return true to stop reading. */
typedef bool body_visit(void *context, const struct step *step);

/* Read from `root` on. The earlier contents of the body are dropped; its memory is used again. `visit` may be NULL;
 * it is called once for each step, without the step's successors. *budget is reduced by one for each step. */
void body_read(struct body *body, const struct branch_index *index, uint64_t root,
               struct pointer_place stack, uint64_t *budget, body_visit *visit, void *context);
void body_free(struct body *body);
/* Release memory, except for a body of common size, whose pages the kernel would have to clear again. */
void body_rest(struct body *body);
size_t body_memory(const struct body *body);

/* Return the address of the opcode of a call or jump, after the prefixes, as in branch_index. */
uint64_t step_site(const struct step *step);

enum parity {
    PARITY_UNKNOWN,
    PARITY_ALIGNED, /* if the function was entered as the psABI says */
    PARITY_ODD      /* then it is not */
};
enum parity place_parity(struct pointer_place place);
static inline enum parity step_parity(const struct step *step)
{
    return place_parity(step->stack.stack);
}
extern const struct pointer_place stack_at_entry;
/* Return whether rsp has the same value as at the entry. */
bool step_at_entry_level(const struct step *step);
/* Return the stack state after the step. */
struct stack_state step_stack_after(const struct step *step);

#endif
