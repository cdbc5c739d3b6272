/*
 * stack_steps.h - the effect of one instruction on the stack pointer, and its memory operand relative to it. Inside
 * arch/ only.
 */
#ifndef HOTPATCH_STACK_STEPS_H
#define HOTPATCH_STACK_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Distances below the stack pointer at the entry, which points to the return address: 0 there. */
struct stack_place {
    int32_t depth, frame; /* of rsp, of rbp */
    bool depth_known, frame_known;
};

enum stack_flow {
    FLOW_ON,     /* to the next instruction */
    FLOW_BRANCH, /* to the next instruction, or to `target` */
    FLOW_JUMP,   /* to `target` */
    FLOW_TABLE,  /* through a register or memory */
    FLOW_END
};

struct stack_step {
    enum stack_flow flow;
    uint8_t length;
    bool calls, padding;
    uint64_t target;
    struct stack_place after;
    int64_t reads; /* bytes of arguments up to the end of the operand; 0: none; -1: not known */
};

/* Apply the instruction of at most `size` bytes at `code`, which runs at `at` in `before`. Return false if the bytes
 * are no instruction. */
bool stack_step(const uint8_t *code, size_t size, uint64_t at, const struct stack_place *before,
                struct stack_step *out);

#endif
