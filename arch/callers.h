/*
 * callers.h - what the callers of a function, compiled together with it, rely on beyond the psABI.
 *
 * gcc tells direct callers which registers a callee does not write (-fipa-ra) and that it needs no
 * aligned stack (-fipa-stack-alignment). A replacement knows only the psABI, so a stub keeps for it
 * what some direct caller, however far up, relies on. This is found from the object's code alone:
 * direct branches by a scan of the bytes, confirmed by decoding; liveness of the caller-saved
 * registers after each call.
 *
 * Reads only the code that it is given; allocates; takes no lock. Compiled into engine and command.
 */
#ifndef HOTPATCH_CALLERS_H
#define HOTPATCH_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General registers are numbered as instructions encode them: rax 0, rcx 1, rdx 2, rbx 3, rsp 4,
 * rbp 5, rsi 6, rdi 7, r8 to r15. */
#define ARCH_GENERAL_CALLER_SAVED UINT16_C(0x0fc7) /* rax, rcx, rdx, rsi, rdi, r8 to r11 */

/* What a replaced entry must keep for its callers. */
struct arch_kept {
    uint16_t general;     /* bits by number; subset of ARCH_GENERAL_CALLER_SAVED */
    uint32_t vector;      /* bits: xmm0 to zmm31 */
    uint8_t vector_bytes; /* how much of each: 0 (none), 16, 32, 64 */
    uint8_t mask;         /* bits: k0 to k7 */
    bool x87;             /* the x87 stack or its control state */
    bool align;           /* some caller calls with a stack that is not aligned to 16 bytes */
    /* Result registers (rax, rdx; xmm0, xmm1) that some caller relies on and that the original
     * writes on some of its paths only: a signature or DWARF decides whether each is a result
     * (then it is not kept) or not (then it is), else HP-CALLERS. Not part of the sets above. */
    uint16_t unsure_general;
    uint32_t unsure_vector;
    bool proved; /* false: not everything could be read; the sets hold all that the function does not write */
};

#endif
