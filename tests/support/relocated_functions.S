/* relocated_functions.S - small functions `long (long)` whose first instructions are of every kind that a relocated
 * prologue corrects, for test_relocated.c. They lie on their own pages, which the test writes to. */
#include "tests/support/relocated_functions.h"

    .data
    .balign 64
number: .quad 21, 0, 0, 0, 0, 0, 0, 0

    .text
.macro begin name
    .balign 16, 0xcc
    .globl moved_\name
    .hidden moved_\name
    .type moved_\name, @function
moved_\name:
.endm
.macro end name
    .globl moved_\name\()_end
    .hidden moved_\name\()_end
moved_\name\()_end:
    .size moved_\name, . - moved_\name
.endm

    .balign MOVED_PAGE, 0xcc
    begin load
    movq number(%rip), %rax
    addq %rdi, %rax
    ret
    end load

    begin compare
    cmpl $21, number(%rip)
    sete %al
    movzbl %al, %eax
    addq %rdi, %rax
    ret
    end compare

    begin address
    leaq number(%rip), %rax
    addq (%rax), %rdi
    movq %rdi, %rax
    ret
    end address

    begin store
    movq %rdi, number+8(%rip)
    movq number+8(%rip), %rax
    notq %rax
    ret
    end store

    begin branch
    testq %rdi, %rdi
    je 1f
    leaq 3(%rdi), %rax
    ret
1:  movl $77, %eax
    ret
    end branch

    begin count
    movq %rdi, %rcx
    jrcxz 1f
    leaq 9(%rdi), %rax
    ret
1:  movl $78, %eax
    ret
    end count

    begin loop
    pushq %rdi
    popq %rcx
    loop 1f
    movl $79, %eax
    ret
1:  leaq 4(%rcx), %rax
    ret
    end loop

    begin call
    subq $8, %rsp
    call moved_load
    addq $8, %rsp
    negq %rax
    ret
    end call

    begin call_first
    call 1f
    leaq 5(%rdi,%rax), %rax
    ret
1:  movl $2, %eax
    ret
    end call_first

    begin tail
    jmp moved_load
    end tail

    begin frame
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    movq %rdi, %rbx
    leaq (%rbx,%rbx,2), %rax
    popq %rbx
    popq %rbp
    ret
    end frame

    begin cet
    endbr64
    movq number(%rip), %rax
    xorq %rdi, %rax
    ret
    end cet

    begin constant
    movabsq $0x1122334455667788, %rax
    addq %rdi, %rax
    ret
    end constant

    begin sse
    movdqu number(%rip), %xmm0
    movq %xmm0, %rax
    addq %rdi, %rax
    ret
    end sse

    begin avx
    vmovdqu number(%rip), %ymm0
    vmovq %xmm0, %rax
    addq %rdi, %rax
    vzeroupper
    ret
    end avx

    begin avx512
    vmovdqu64 number(%rip), %zmm17
    vmovq %xmm17, %rax
    addq %rdi, %rax
    ret
    end avx512
    .balign MOVED_PAGE, 0xcc

    .section .note.GNU-stack, "", @progbits
