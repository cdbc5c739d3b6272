/*
 * vfork.c - vfork(2) as the host calls it. An exec in the child changes a count in the shared memory
 * (base/exec_notice.h). The count is put back when the parent continues, which does not execute a program.
 *
 * One system call, as in libc. A second call is made if there is no space for a child because of the shim's threads
 * (give_way.c). The child returns on the parent's stack before the parent does: the return address is kept in a
 * register, which each of the two has.
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
