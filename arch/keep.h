/*
 * keep.h - the keeping stub: code between a function's near stub and its replacement that keeps the registers that
 * callers rely on (callers.h) and aligns the stack.
 *
 * It has two parts. The *thunk* lies near the function, one for each replacement: it pushes one word and jumps to the
 * *routine*. The routine lies in the engine's own text, so that each unwinder finds its call frame information
 * through dl_iterate_phdr(3). If it were registered with libgcc, every throw of the host would take a mutex. The
 * routine saves registers, aligns the stack, copies the arguments on the stack, calls the replacement, restores and
 * returns:
 *
 *      caller's frame                          arguments on the stack
 *      CFA ->
 *      return address
 *      the thunk's word                        dropped before the return
 *      the caller's rbp  <- rbp
 *      rax, rcx, rdx, rsi, rdi, r8 to r11
 *      x87, k0 to k7, vector registers         the full routine alone
 *      the copy of the arguments               the full routine alone
 *      return address into the routine         the replacement begins here, aligned
 *
 * The replacement gets every register that can hold an argument with the caller's value. Registers that no caller
 * needs are restored too: a function may always leave a caller-saved register unchanged, except a result register.
 */
#ifndef HOTPATCH_KEEP_H
#define HOTPATCH_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/callers.h"

enum {
    ARCH_THUNK_BYTES = 16,
    ARCH_STACK_ARGUMENTS_MAX = 4096 /* bytes that a routine copies */
};

/* The data of a thunk and its routine. At a fixed address and never freed: threads may still use it. */
struct arch_keeper {
    uintptr_t pushed;  /* the thunk's word: `target`, or the address of `target` */
    uintptr_t routine; /* where the thunk jumps to */
    /* The full routine reads these by the address of `target`. */
    uintptr_t target;
    uint32_t flags;
    uint32_t stack_bytes;
    uint64_t save_bytes;
};

/* The way in which calls of one replacement are made. */
struct keep {
    struct arch_kept kept;
    uint32_t stack_bytes; /* of arguments on the stack that are copied */
};

/* Return whether a register or the alignment must be kept. */
static inline bool arch_keeps(const struct arch_kept *kept)
{
    return kept->general || kept->vector || kept->mask || kept->x87 || kept->align;
}

/* Fill `out`, which must stay at this address: calls of `target` keep the registers in `kept`, with `stack_bytes` of
 * arguments on the stack (a multiple of 8, at most ARCH_STACK_ARGUMENTS_MAX). Registers that this processor does not
 * have are left out. */
void arch_keeper_fill(struct arch_keeper *out, const struct arch_kept *kept, uint32_t stack_bytes,
                      uintptr_t target);

/* Write the thunk's code at `thunk` for the keeper at `keeper`, within 2 GiB. Return its length; 0: no space, or out
 * of reach. */
size_t arch_keep_thunk(uint64_t thunk, uint64_t keeper, uint8_t *out, size_t room);

#endif
