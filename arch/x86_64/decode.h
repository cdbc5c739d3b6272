/*
 * decode.h - decodes one x86-64 instruction, as far as needed to read and move prologues.
 *
 * Only decode.c, callers_effects.c and callers_operands.c use Zydis. No function here allocates, makes a system call
 * or keeps state, so any thread and a signal handler may call it.
 */
#ifndef HOTPATCH_DECODE_H
#define HOTPATCH_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instruction_kind {
    INSTRUCTION_PLAIN,       /* means the same everywhere */
    INSTRUCTION_DATA,        /* refers to memory relative to itself */
    INSTRUCTION_JUMP,        /* jmp rel8, rel32 */
    INSTRUCTION_CONDITIONAL, /* jcc rel8, rel32 */
    INSTRUCTION_COUNTED,     /* loop, loope, loopne, jrcxz, jecxz: rel8 alone */
    INSTRUCTION_CALL,        /* call rel32 */
    INSTRUCTION_BEGIN,       /* xbegin rel32: where an abort leads */
    INSTRUCTION_FIXED        /* must stay where it is */
};

struct instruction {
    enum instruction_kind kind;
    uint8_t length;
    uint8_t opcode;        /* the last byte of it; of jcc the condition is in the low four bits */
    uint8_t field;         /* offset of the relative field, of all kinds between PLAIN and FIXED */
    int32_t relative;      /* that field, counted from the instruction's end */
    uint8_t modrm;         /* offset of ModR/M of an indirect call, else 0 */
    bool call;             /* pushes a return address: direct, indirect or far */
    bool by_stack;         /* such a call's target is in %rsp, or counted from it */
    bool ends;             /* never continues to the next instruction */
    bool nop;              /* nop of any length */
    bool breakpoint;       /* int3 */
    bool takes_stack;      /* push, sub $n, %rsp: the frame of a function begins */
    bool gives_stack;      /* pop, leave, add $n, %rsp: it ends */
    bool repeats;          /* rep movsb, ...: a thread may stop in it, and continue with the rest */
    bool halves_the_count; /* jecxz, loop with ecx: the prefix 67 is part of its meaning */
};

/* Decode the instruction at `code`, of which there are `size` bytes. Return false if the bytes are no instruction, or
 * are cut. */
bool instruction_decode(const uint8_t *code, size_t size, struct instruction *out);

/* Return whether the instruction may continue at `relative` bytes from its end, other than by falling through. */
bool instruction_branches(const struct instruction *instruction);

#endif
