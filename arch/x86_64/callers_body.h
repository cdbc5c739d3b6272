/*
 * callers_body.h - the instructions that are reached from one address, and how they follow each other.
 *
 * A body ends at returns and where another function begins: a jump there is an exit. Code of other
 * functions that is jumped into elsewhere belongs to it (a hot part that a cold part jumps back to).
 * Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_BODY_H
#define HOTPATCH_CALLERS_BODY_H

#include "arch/x86_64/callers_steps.h"

/* Return true to stop reading. */
typedef bool body_visit(void *context, const struct step *step);

/* Read from `root` on. What was in the body before is dropped; its memory is used again. `visit` may
 * be NULL; it sees each step once, without its successors. Steps are counted down from *budget. */
void body_read(struct body *body, const struct branch_index *index, uint64_t root,
               struct pointer_place stack, uint64_t *budget, body_visit *visit, void *context);
void body_free(struct body *body);
/* Leave memory for a body of common size: of pages that the kernel would have to clear again. */
void body_rest(struct body *body);
size_t body_memory(const struct body *body);

/* Of a call or jump: where its opcode begins, behind the prefixes; as branch_index has it. */
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
/* Is rsp where it was at the entry? */
bool step_at_entry_level(const struct step *step);
/* After the step. */
struct stack_state step_stack_after(const struct step *step);

#endif
