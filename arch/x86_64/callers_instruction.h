/*
 * callers_instruction.h - the registers that one instruction reads and writes, its effect on the stack, and its
 * target. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_INSTRUCTION_H
#define HOTPATCH_CALLERS_INSTRUCTION_H

#include "arch/x86_64/callers_registers.h"

enum effect_kind {
    EFFECT_PLAIN,
    EFFECT_BRANCH,       /* continues, or jumps to `target` */
    EFFECT_JUMP,         /* to `target` */
    EFFECT_JUMP_WORD,    /* to the address in the word at `target` */
    EFFECT_JUMP_UNKNOWN, /* through a register or memory */
    EFFECT_CALL,         /* of `target` */
    EFFECT_CALL_WORD,
    EFFECT_CALL_UNKNOWN,
    EFFECT_CALL_AT_RAX, /* call *(%rax): of a TLS descriptor, if rax was just loaded with its address */
    EFFECT_RETURN,
    EFFECT_END /* never continues */
};

/* To rsp and rbp; `amount` is in bytes. */
enum stack_effect {
    STACK_SAME,
    STACK_MOVES,            /* rsp += amount */
    STACK_FROM_FRAME,       /* rsp = rbp + amount */
    FRAME_FROM_STACK,       /* rbp = rsp + amount */
    STACK_AND_FRAME,        /* leave: rsp = rbp + 8, rbp is lost */
    STACK_MOVES_FRAME_LOST, /* pop %rbp */
    STACK_ALIGNED,          /* and $-16, %rsp or more */
    STACK_LOST,
    FRAME_LOST
};

/* The instructions that compute the target of a jump table. */
enum table_piece {
    TABLE_NONE,
    TABLE_ADDRESS, /* lea disp(%rip), %to: `value` */
    TABLE_LOAD,    /* movslq (%base, %index, 4), %to */
    TABLE_ADD,     /* add %base, %to */
    TABLE_COMPARE, /* cmp $value, ...: for the number of entries */
    TABLE_JUMP,    /* jmp *%to */
    TABLE_MEMORY   /* jmp *value(, %index, 8), or mov value(, %index, 8), %to */
};

struct effects {
    struct registers reads; /* before it writes; nothing where the result does not depend on them */
    struct registers writes;  /* parts whose old value is lost */
    struct registers touches; /* written on some condition or in part; whole general registers */
    uint64_t target;
    int64_t value;
    int32_t amount;
    uint8_t length;
    int8_t x87_push;       /* positions that the x87 stack grows by */
    int8_t pushed, popped; /* the register of a push or pop, or -1 */
    uint8_t kind, stack, table;
    int8_t to, base, index; /* of `table` */
    bool above;             /* ja, jae, jb, jbe: decides on a comparison of unsigned numbers */
    bool scalar_float;      /* has an operand that is one float or double in a vector register */
    bool nothing;           /* a NOP of any kind */
    uint8_t field_bytes;    /* of the relative field of a direct branch */
    bool simple_memory;     /* a jump or call through memory without an index register */
    uint8_t relative_at, relative_bytes; /* field that counts from the next instruction; or 0, 0 */
    /* Position of displacement and immediate whose values have no effect here; or 0, 0. */
    uint8_t displacement_at, displacement_bytes, immediate_at, immediate_bytes;
};

#endif
