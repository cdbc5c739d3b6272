/*
 * keep_routines.S - the routines of keeping stubs (../keep.h). x86-64, System V ABI.
 *
 * Host threads run them in place of any function. A register is saved before it is written. Every register that can
 * hold an argument reaches the replacement with the caller's value: rax (the number of vector registers of a variadic
 * call) and r10 (a static chain) too. r11 carries no argument.
 *
 * Call frame information is correct at each instruction. Calls and returns are paired, for processors that compare
 * them (CET).
 */
#include "arch/x86_64/keep_routines.h"
#ifdef __CET__
#include <cet.h>
#endif

.text

/* Enter a routine. The thunk's word lies on the return address. */
.macro keep_enter name
  .p2align 6
  .globl \name
  .hidden \name
  .type \name, @function
\name:
  .cfi_startproc
  .cfi_def_cfa rsp, 16
  endbr64
  pushq %rbp
  .cfi_def_cfa_offset 24
  .cfi_offset rbp, -24
  movq %rsp, %rbp
  .cfi_def_cfa_register rbp
  movq %rax, -8(%rbp) /* nine words, within the red zone */
  movq %rcx, -16(%rbp)
  movq %rdx, -24(%rbp)
  movq %rsi, -32(%rbp)
  movq %rdi, -40(%rbp)
  movq %r8, -48(%rbp)
  movq %r9, -56(%rbp)
  movq %r10, -64(%rbp)
  movq %r11, -72(%rbp)
.endm

/* Leave a routine. The calling macro restores rax and rdx, which may hold the result. */
.macro keep_leave name
  movq -16(%rbp), %rcx
  movq -32(%rbp), %rsi
  movq -40(%rbp), %rdi
  movq -48(%rbp), %r8
  movq -56(%rbp), %r9
  movq -64(%rbp), %r10
  movq -72(%rbp), %r11
  leave
  .cfi_def_cfa rsp, 16
  .cfi_restore rbp
  leaq 8(%rsp), %rsp
  .cfi_def_cfa_offset 8
  ret
  .cfi_endproc
  .size \name, . - \name
.endm

/* ---- fast routines: general registers alone, no arguments on the stack. The word is the target. ---- */

.macro keep_fast name, rax, rdx
  keep_enter \name
  leaq -80(%rbp), %rsp
  andq $-16, %rsp
  call *8(%rbp)
  .if \rax
    movq -8(%rbp), %rax
  .endif
  .if \rdx
    movq -24(%rbp), %rdx
  .endif
  keep_leave \name
.endm
keep_fast keep_fast_none, 0, 0
keep_fast keep_fast_rax, 1, 0
keep_fast keep_fast_rdx, 0, 1
keep_fast keep_fast_both, 1, 1

/* ---- full routine: by flags. The word is the address of the keeper's target. ---- */

.macro keep_save move, class, bytes, numbers:vararg
  .irp n, \numbers
    \move %\class\n, AREA_VECTORS+\n*\bytes(%r10)
  .endr
.endm
.macro keep_restore move, class, bytes, numbers:vararg
  .irp n, \numbers
    \move AREA_VECTORS+\n*\bytes(%rsi), %\class\n
  .endr
.endm

/* Restore registers. Those that can hold results are restored only if the flags say that they hold none. */
.macro keep_restore_some move, class, bytes
  keep_restore \move, \class, \bytes, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  testl $KEEP_XMM0, %ecx
  jz 7f
  keep_restore \move, \class, \bytes, 0
7:
  testl $KEEP_XMM1, %ecx
  jz 7f
  keep_restore \move, \class, \bytes, 1
7:
.endm

keep_enter keep_full
  movq 8(%rbp), %r11
  movl KEEPER_FLAGS(%r11), %eax
  leaq -72(%rbp), %r10
  subq KEEPER_SAVE_BYTES(%r11), %r10
  andq $-64, %r10
  movq %r10, %rsp
  testl $KEEP_ZMM, %eax
  jnz 3f
  testl $KEEP_YMM, %eax
  jnz 2f
  testl $KEEP_XMM, %eax
  jz 4f
  keep_save movaps, xmm, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  jmp 4f
2:
  keep_save vmovaps, ymm, 32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  jmp 4f
3:
  keep_save vmovaps, zmm, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  keep_save vmovaps, zmm, 64, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
4:
  testl $KEEP_MASKS, %eax
  jz 5f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovq %k\n, AREA_MASKS+8*\n(%r10)
  .endr
5:
  testl $KEEP_MASKS_16, %eax
  jz 5f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovw %k\n, AREA_MASKS+8*\n(%r10)
  .endr
5:
  testl $KEEP_X87, %eax
  jz 5f
  fnsave AREA_X87(%r10) /* leaves the stack empty, and the control word as after fninit */
  fldcw AREA_X87(%r10)
5:
  movl KEEPER_STACK_BYTES(%r11), %ecx
  testl $8, %ecx
  jz 5f
  pushq $0
5:
  testl %ecx, %ecx
  jz 6f
5:
  pushq 16(%rbp,%rcx) /* the last word first; they begin at 24(%rbp) */
  subl $8, %ecx
  jnz 5b
6:
  movq -8(%rbp), %rax
  movq -16(%rbp), %rcx
  movq -64(%rbp), %r10
  call *(%r11)
  movq 8(%rbp), %r11
  movl KEEPER_FLAGS(%r11), %ecx
  leaq -72(%rbp), %rsi
  subq KEEPER_SAVE_BYTES(%r11), %rsi
  andq $-64, %rsi
  testl $KEEP_ZMM, %ecx
  jnz 3f
  testl $KEEP_YMM, %ecx
  jnz 2f
  testl $KEEP_XMM, %ecx
  jz 4f
  keep_restore_some movaps, xmm, 16
  jmp 4f
2:
  keep_restore_some vmovaps, ymm, 32
  jmp 4f
3:
  keep_restore_some vmovaps, zmm, 64
  keep_restore vmovaps, zmm, 64, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
4:
  testl $KEEP_MASKS, %ecx
  jz 5f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovq AREA_MASKS+8*\n(%rsi), %k\n
  .endr
5:
  testl $KEEP_MASKS_16, %ecx
  jz 5f
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kmovw AREA_MASKS+8*\n(%rsi), %k\n
  .endr
5:
  testl $KEEP_X87, %ecx
  jz 5f
  fnstcw AREA_X87_CONTROL(%rsi) /* fesetround() in the replacement lasts */
  frstor AREA_X87(%rsi)
  fldcw AREA_X87_CONTROL(%rsi)
5:
  testl $KEEP_RAX, %ecx
  jz 5f
  movq -8(%rbp), %rax
5:
  testl $KEEP_RDX, %ecx
  jz 5f
  movq -24(%rbp), %rdx
5:
keep_leave keep_full

  .section .note.GNU-stack, "", @progbits
