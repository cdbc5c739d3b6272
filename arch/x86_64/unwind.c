/* unwind.c - see base/unwind.h and base/cfi_frame.h. The registers' numbers: System V ABI AMD64, figure 3.36. */
#include "base/unwind.h"

#include <ucontext.h>

enum { RBX = 3, RBP = 6, RSP = 7, R12 = 12, RETURN_ADDRESS = 16 };

const struct cfi_machine cfi_machine = {
    .sp = RSP,
    .fp = RBP,
    .pc = RETURN_ADDRESS,
    .kept = 1U << RBX | 1U << RBP | 1U << RSP | 0xfU << R12, /* to r15 */
};

_Static_assert(RETURN_ADDRESS < (int)CFI_REGISTERS, "room for each register");

void unwind_from_context(struct cfi_frame *frame, const void *context)
{
    static const int order[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    const ucontext_t *interrupted = context;

    _Static_assert(sizeof(order) / sizeof(*order) == RETURN_ADDRESS + 1, "each register");
    for (unsigned i = 0; i <= RETURN_ADDRESS; i++)
        frame->value[i] = (uint64_t)interrupted->uc_mcontext.gregs[order[i]];
    frame->known = (1U << (RETURN_ADDRESS + 1)) - 1;
    frame->signal = true;
}
