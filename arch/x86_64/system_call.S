/*
 * system_call.S - see sys_call() in base/sys.h, and base/system_call.h.
 *
 * Any thread, signal handlers too. The number lies in the red zone, at -8(%rsp), while the call is made: a handler that
 * interrupts the call reads it there, because no instruction before `syscall` loads a constant.
 */
    .text
    .globl sys_call
    .hidden sys_call
    .type sys_call, @function
    .p2align 4
sys_call:
    .cfi_startproc
    endbr64
    mov %rdi, %rax
    mov %rdi, -8(%rsp)
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    .globl sys_call_here
    .hidden sys_call_here
sys_call_here:
    syscall
    ret
    .cfi_endproc
    .size sys_call, . - sys_call

    .section .rodata
    .globl sys_call_machine
    .hidden sys_call_machine
    .type sys_call_machine, @object
    .p2align 2
sys_call_machine:
    .long 0xc000003e /* AUDIT_ARCH_X86_64 */
    .size sys_call_machine, 4
    .section .note.GNU-stack, "", @progbits
