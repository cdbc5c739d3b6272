/* own_stack.c - see own_stack.h. Its pages are the kernel's until they are written. */
#include "preload/own_stack.h"

#include <stdatomic.h>
#include <sys/types.h>

#include "base/state.h"
#include "base/sys.h"

enum { SIZE = 64 << 10 };

static char stack[SIZE] __attribute__((aligned(64)));
static _Atomic pid_t taken
    STATE; /* by a thread of this process: a child that another forks has it set for ever */

#if defined(__x86_64__)

void own_stack_switch(void (*function)(void *), void *argument, char *top)
    __attribute__((visibility("hidden")));

__asm__(".pushsection .text\n"
        ".globl own_stack_switch\n"
        ".type own_stack_switch, @function\n"
        ".p2align 4\n"
        "own_stack_switch:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "push %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\n"
        "mov %rsp, %rbp\n"
        ".cfi_def_cfa_register %rbp\n"
        "mov %rdx, %rsp\n"
        "mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "call *%rax\n"
        "leave\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size own_stack_switch, . - own_stack_switch\n"
        ".popsection\n");

void own_stack_call(void (*function)(void *), void *argument)
{
    pid_t self = sys_getpid(), other = atomic_load(&taken);

    if (other == self || !atomic_compare_exchange_strong(&taken, &other, self)) {
        function(argument);
        return;
    }
    own_stack_switch(function, argument, stack + SIZE);
    atomic_store_explicit(&taken, 0, memory_order_release);
}

#endif
