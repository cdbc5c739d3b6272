/* registers_calls.S - see registers.h. */
#include "tests/support/registers.h"

#define MASK 128
#define VECTOR (MASK + 64)
#define STACK (VECTOR + 32 * 64)

.macro vectors_load from
  testl $REGISTERS_ZMM, %r14d
  jnz 2f
  testl $REGISTERS_YMM, %r14d
  jnz 1f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups VECTOR+64*\n(\from), %xmm\n
  .endr
  jmp 3f
1:
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovups VECTOR+64*\n(\from), %ymm\n
  .endr
  jmp 3f
2:
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovups VECTOR+64*\n(\from), %zmm\n
  .endr
  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vmovups VECTOR+64*\n(\from), %zmm\n
  .endr
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovq MASK+8*\n(\from), %k\n
  .endr
3:
.endm

.macro vectors_store to, features
  testl $REGISTERS_ZMM, \features
  jnz 2f
  testl $REGISTERS_YMM, \features
  jnz 1f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, VECTOR+64*\n(\to)
  .endr
  jmp 3f
1:
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovups %ymm\n, VECTOR+64*\n(\to)
  .endr
  jmp 3f
2:
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovups %zmm\n, VECTOR+64*\n(\to)
  .endr
  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vmovups %zmm\n, VECTOR+64*\n(\to)
  .endr
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovq %k\n, MASK+8*\n(\to)
  .endr
3:
.endm

.macro general_store to
  movq %rax, 0*8(\to)
  movq %rcx, 1*8(\to)
  movq %rdx, 2*8(\to)
  movq %rsp, 4*8(\to)
  movq %rsi, 6*8(\to)
  movq %rdi, 7*8(\to)
  movq %r8, 8*8(\to)
  movq %r9, 9*8(\to)
  movq %r10, 10*8(\to)
  movq %r11, 11*8(\to)
.endm

.text
.globl registers_call
.type registers_call, @function
registers_call:
  .cfi_startproc
  endbr64
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register rbp
  pushq %rbx
  .cfi_offset rbx, -24
  pushq %r12
  .cfi_offset r12, -32
  pushq %r13
  .cfi_offset r13, -40
  pushq %r14
  .cfi_offset r14, -48
  andq $-16, %rsp
  movq %rdi, %rbx
  movq %rsi, %r12
  movq %rdx, %r13
  movl %r8d, %r14d
  testl $1, %ecx
  jz 1f
  pushq $0
1:
  testl $REGISTERS_MISALIGNED, %r14d
  jz 1f
  pushq $0
1:
  testl %ecx, %ecx
  jz 2f
1:
  pushq STACK-8(%rbx,%rcx,8)
  subl $1, %ecx
  jnz 1b
2:
  vectors_load %rbx
  movq 0*8(%rbx), %rax
  movq 1*8(%rbx), %rcx
  movq 2*8(%rbx), %rdx
  movq 6*8(%rbx), %rsi
  movq 7*8(%rbx), %rdi
  movq 8*8(%rbx), %r8
  movq 9*8(%rbx), %r9
  movq 10*8(%rbx), %r10
  movq 11*8(%rbx), %r11
  call *%r13
  general_store %r12
  vectors_store %r12, %r14d
  testl $REGISTERS_YMM, %r14d
  jz 1f
  vzeroupper
1:
  leaq -32(%rbp), %rsp
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  .cfi_def_cfa rsp, 8
  ret
  .cfi_endproc
  .size registers_call, . - registers_call

.globl registers_clobber
.type registers_clobber, @function
registers_clobber:
  .cfi_startproc
  endbr64
  movq %r11, -8(%rsp)
  leaq registers_seen(%rip), %r11
  general_store %r11
  movq -8(%rsp), %rcx
  movq %rcx, 11*8(%r11)
  movl registers_seen_features(%rip), %eax
  vectors_store %r11, %eax
  xorl %ecx, %ecx
  cmpl $0, registers_seen_words(%rip)
  je 2f
1:
  movq 8(%rsp,%rcx,8), %rdx
  movq %rdx, STACK(%r11,%rcx,8)
  movq $0, 8(%rsp,%rcx,8) /* they are the function's own: only a copy may change */
  incl %ecx
  cmpl registers_seen_words(%rip), %ecx
  jb 1b
2:
  testl $REGISTERS_ZMM, %eax
  jz 1f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kxnorq %k\n, %k\n, %k\n
  .endr
  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vpternlogd $255, %zmm\n, %zmm\n, %zmm\n
  .endr
1:
  testl $REGISTERS_YMM, %eax
  jz 1f
  vzeroupper
1:
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pcmpeqd %xmm\n, %xmm\n
  .endr
  movabsq $REGISTERS_GARBAGE, %rcx
  movq %rcx, %rsi
  movq %rcx, %rdi
  movq %rcx, %r8
  movq %rcx, %r9
  movq %rcx, %r10
  movq %rcx, %r11
  movabsq $REGISTERS_RESULT_RAX, %rax
  movabsq $REGISTERS_RESULT_RDX, %rdx
  ret
  .cfi_endproc
  .size registers_clobber, . - registers_clobber

.section .note.GNU-stack, "", @progbits
