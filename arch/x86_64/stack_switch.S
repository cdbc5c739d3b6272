/* stack_switch.S - see base/stack_switch.h. */
    .text
    .globl stack_switch_call
    .hidden stack_switch_call
    .type stack_switch_call, @function
    .p2align 4
stack_switch_call:
    .cfi_startproc
    endbr64
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    mov %rdx, %rsp
    mov %rdi, %rax
    mov %rsi, %rdi
    call *%rax
    leave
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size stack_switch_call, . - stack_switch_call
    .section .note.GNU-stack, "", @progbits
