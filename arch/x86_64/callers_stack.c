/* callers_stack.c - the values of rsp and rbp after an instruction: see callers_body.h. Any thread. */
#include "arch/x86_64/callers_body.h"

static struct pointer_place relocated(struct pointer_place place, int32_t amount)
{
    if (place.offset > INT32_MAX / 2 || place.offset < INT32_MIN / 2)
        place.from = PLACE_UNKNOWN;
    else
        place.offset += amount;
    return place;
}

struct stack_state step_stack_after(const struct step *step)
{
    struct stack_state state = step->stack;
    const struct pointer_place unknown = {PLACE_UNKNOWN, 0};

    switch (step->effects.stack) {
    case STACK_MOVES:
        state.stack = relocated(state.stack, step->effects.amount);
        break;
    case STACK_MOVES_FRAME_LOST:
        state.stack = relocated(state.stack, step->effects.amount);
        state.frame = unknown;
        break;
    case STACK_FROM_FRAME:
        state.stack = relocated(state.frame, step->effects.amount);
        break;
    case FRAME_FROM_STACK:
        state.frame = relocated(state.stack, step->effects.amount);
        break;
    case STACK_AND_FRAME:
        state.stack = relocated(state.frame, 8);
        state.frame = unknown;
        break;
    case STACK_ALIGNED:
        state.stack = (struct pointer_place){PLACE_ALIGNED, 0};
        break;
    case STACK_LOST:
        state.stack = unknown;
        break;
    case FRAME_LOST:
        state.frame = unknown;
        break;
    default:
        break;
    }
    return state;
}

const struct pointer_place stack_at_entry = {PLACE_ENTRY, 0};

enum parity place_parity(struct pointer_place place)
{
    switch (place.from) {
    case PLACE_ENTRY: /* there rsp + 8 is a multiple of 16 */
        return (place.offset + 8) & 15 ? PARITY_ODD : PARITY_ALIGNED;
    case PLACE_ALIGNED:
        return place.offset & 15 ? PARITY_ODD : PARITY_ALIGNED;
    default:
        return PARITY_UNKNOWN;
    }
}

bool step_at_entry_level(const struct step *step)
{
    return step->stack.stack.from == PLACE_ENTRY && step->stack.stack.offset == 0;
}
