/* sigframe.c - see ../frame.h. */
#include "arch/sigframe.h"

#include <ucontext.h>

#include "base/bare.h"

BARE uintptr_t sigframe_pc(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

BARE uintptr_t sigframe_sp(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
}

BARE void sigframe_go_on(void *context, uintptr_t pc)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

/* The PC is behind the int3. */
BARE uintptr_t sigframe_trap(const void *context)
{
    return sigframe_pc(context) - 1;
}

/* What glibc's own restorer looks like. */
__asm__(".text\n.globl arch_signal_return\n.hidden arch_signal_return\n"
        ".type arch_signal_return, @function\narch_signal_return:\n"
        "movq $15, %rax\nsyscall\n.size arch_signal_return, .-arch_signal_return\n");
