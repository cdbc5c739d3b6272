/*
 * stack_steps.h - what one instruction does to the stack pointer, and what it refers to by it. Inside
 * arch/ only.
 */
#ifndef HOTPATCH_STACK_STEPS_H
#define HOTPATCH_STACK_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Distances below the stack pointer at the entry, where the return address lies: it is 0 there. */
struct stack_place {
    int32_t depth, frame; /* of rsp, of rbp */
    bool depth_known, frame_known;
};

enum stack_flow {
    FLOW_ON,     /* to the next instruction */
    FLOW_BRANCH, /* there, or to `target` */
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
    int64_t
        reads; /* bytes of arguments up to the end of what is referred to; 0: none; -1: not known */
};

/* The instruction of at most `size` bytes at `code`, which runs at `at` in `before`. False: it is none. */
bool stack_step(const uint8_t *code, size_t size, uint64_t at, const struct stack_place *before,
                struct stack_step *out);

#endif
