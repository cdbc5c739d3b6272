/*
 * vfork.c - vfork(2) as the host calls it: what an exec in the child counted in the memory that it shares
 * (base/exec_notice.h) is put back when the parent goes on, which does not execute.
 *
 * One system call, as libc's, unless there is no room for a child because of our threads (give_way.c). The child returns on the parent's stack before it: the return address is kept
 * in a register, which each of the two has.
 */
#include <stddef.h>
#include <unistd.h>

#include "base/exec_notice.h"

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

_Static_assert(offsetof(struct exec_notice, executing) == 24, "the number below");

__asm__(".pushsection .text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        ".p2align 4\n"
        "vfork:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "vfork_again:\n"
        "pop %rdi\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_register %rip, %rdi\n"
        "mov exec_notice+24(%rip), %esi\n"
        "mov $58, %eax\n" /* SYS_vfork */
        "syscall\n"
        "push %rdi\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_offset %rip, -8\n"
        "test %eax, %eax\n"
        "jz 1f\n"
        "mov %esi, exec_notice+24(%rip)\n"
        "cmp $-4095, %rax\n"
        "jae 2f\n"
        "1: ret\n"
        "2: push %rax\n"
        ".cfi_adjust_cfa_offset 8\n"
        "mov %eax, %edi\n"
        "neg %edi\n"
        "call give_way\n" /* there is no child: the stack is the parent's alone */
        "test %al, %al\n"
        "jz 3f\n"
        "pop %rax\n"
        ".cfi_adjust_cfa_offset -8\n"
        "jmp vfork_again\n"
        "3: .cfi_adjust_cfa_offset 8\n"
        "call __errno_location@PLT\n"
        "pop %rcx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "neg %ecx\n"
        "mov %ecx, (%rax)\n"
        "mov $-1, %eax\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size vfork, . - vfork\n"
        ".popsection\n");

#endif
