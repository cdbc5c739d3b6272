/*
 * injection_row.c - the row of functions that injections put in place of others. x86-64, System V ABI.
 *
 * Function n pushes n and jumps to one common body. Nothing is known of the function that is replaced,
 * and callers may rely on each register that it does not write (arch/callers.h). So no register is
 * written but rax, where a result is returned: general registers and the lower 16 bytes of the
 * vector registers are restored, and nothing that runs meanwhile writes the rest (injection_decide.c).
 * When the original is jumped to the stack is as the caller left it, so there is no frame to unwind
 * through; the original's address lies below the stack pointer, where signal handlers do not write.
 */
#include "arch/injection.h"

_Static_assert(ARCH_INJECTION_PASSES == 0 && ARCH_INJECTION_RETURNS_NOTHING == 2,
               "as the body compares them");

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden arch_injection_row\n"
        ".globl arch_injection_row\n"
        ".type arch_injection_row, @function\n"
        "arch_injection_row:\n"
        ".set .Lnumber, 0\n"
        ".rept 4096\n"
        "  endbr64\n"
        "  pushq $.Lnumber\n"
        "  jmp injection_common\n"
        "  .p2align 4\n"
        "  .set .Lnumber, .Lnumber + 1\n"
        ".endr\n"
        ".size arch_injection_row, . - arch_injection_row\n"
        ".type injection_common, @function\n"
        "injection_common:\n"
        ".cfi_startproc\n"
        ".cfi_def_cfa rsp, 16\n" /* the number lies on the return address */
        "  pushq %rbp\n"
        ".cfi_def_cfa rsp, 24\n"
        ".cfi_offset rbp, -24\n"
        "  movq %rsp, %rbp\n"
        ".cfi_def_cfa_register rbp\n"
        "  leaq -336(%rbp), %rsp\n"
        "  andq $-16, %rsp\n"
        "  movq %rax, -8(%rbp)\n"
        "  movq %rcx, -16(%rbp)\n"
        "  movq %rdx, -24(%rbp)\n"
        "  movq %rsi, -32(%rbp)\n"
        "  movq %rdi, -40(%rbp)\n"
        "  movq %r8, -48(%rbp)\n"
        "  movq %r9, -56(%rbp)\n"
        "  movq %r10, -64(%rbp)\n"
        "  movq %r11, -72(%rbp)\n"
        "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    movaps %xmm\\n, \\n*16(%rsp)\n"
        "  .endr\n"
        "  movq 8(%rbp), %rdi\n"
        "  movq 16(%rbp), %rsi\n"
        "  call arch_injection_decide\n"
        "  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    movaps \\n*16(%rsp), %xmm\\n\n"
        "  .endr\n"
        "  movq -16(%rbp), %rcx\n"
        "  movq -32(%rbp), %rsi\n"
        "  movq -40(%rbp), %rdi\n"
        "  movq -48(%rbp), %r8\n"
        "  movq -56(%rbp), %r9\n"
        "  movq -64(%rbp), %r10\n"
        "  movq -72(%rbp), %r11\n"
        "  testl %eax, %eax\n"
        "  jz 2f\n"
        "  cmpl $2, %eax\n"
        "  je 1f\n"
        "  movq %rdx, -8(%rbp)\n"
        "1:\n"
        "  movq -8(%rbp), %rax\n"
        "  movq -24(%rbp), %rdx\n"
        "  leave\n"
        ".cfi_remember_state\n"
        ".cfi_def_cfa rsp, 16\n"
        ".cfi_restore rbp\n"
        "  leaq 8(%rsp), %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "  ret\n"
        ".cfi_restore_state\n"
        "2:\n"
        "  movq %rdx, 8(%rbp)\n"
        "  movq -8(%rbp), %rax\n"
        "  movq -24(%rbp), %rdx\n"
        "  leave\n"
        ".cfi_def_cfa rsp, 16\n"
        ".cfi_restore rbp\n"
        "  leaq 8(%rsp), %rsp\n"
        ".cfi_def_cfa_offset 8\n"
        "  jmp *-8(%rsp)\n"
        ".cfi_endproc\n"
        ".size injection_common, . - injection_common\n"
        ".hidden arch_injection_row_end\n"
        ".globl arch_injection_row_end\n"
        "arch_injection_row_end:\n");

const unsigned arch_injection_size = 16;

_Static_assert(ARCH_INJECTIONS == 4096, "as many entries as the row above");
