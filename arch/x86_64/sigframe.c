/* sigframe.c - see base/sigframe.h. */
#include "base/sigframe.h"

#include <ucontext.h>

#include "base/bare.h"

#define TRAP_FLAG INT64_C(0x100) /* of EFLAGS: Intel SDM, volume 3, 17.3.1.4 */

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

/* The kernel reports the address after the int3. */
BARE uintptr_t sigframe_trap(const void *context)
{
    return sigframe_pc(context) - 1;
}

BARE bool sigframe_steps(const void *context)
{
    return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] & TRAP_FLAG;
}

BARE void sigframe_step(void *context, bool steps)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

    *flags = steps ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
}

/* The same bytes as glibc's own restorer. */
__asm__(".text\n.globl sigframe_return\n.hidden sigframe_return\n"
        ".type sigframe_return, @function\nsigframe_return:\n"
        "movq $15, %rax\nsyscall\n.size sigframe_return, .-sigframe_return\n");
