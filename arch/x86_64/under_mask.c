/* under_mask.c - see base/under_mask.h. */
#include "base/under_mask.h"

#include <errno.h>
#include <ucontext.h>

#include "base/sigframe.h"

extern const ptrdiff_t __rseq_offset __attribute__((weak)); /* glibc 2.35 */
extern const unsigned int __rseq_size __attribute__((weak));

/* The kernel writes last, below the stack pointer and its red zone, the end of the saved vector registers: a magic
 * word, aligned down to 64 bytes (arch/x86/kernel/fpu/signal.c). */
enum { RED_ZONE = 128, TRACE_BYTES = 80 };

long under_mask_call(struct under_mask *call) __attribute__((visibility("hidden")));
_Noreturn void under_mask_leave(uint64_t rsp) __attribute__((visibility("hidden")));

/* The labels of the code below. */
extern const char under_mask_open[] __attribute__((visibility("hidden")));
extern const char under_mask_end[] __attribute__((visibility("hidden")));
extern const char under_mask_plain_end[] __attribute__((visibility("hidden")));
extern const char under_mask_result[] __attribute__((visibility("hidden")));
extern const char under_mask_closed[] __attribute__((visibility("hidden")));

/*
 * From `open` to `closed` signals are handled, and the stack pointer is the same. The restartable sequence is `start`
 * to `end`. If a signal, or another thread's turn, aborts it, it continues at `abort`. There rcx is `end` if the call
 * was running and the kernel restarts it: then the sequence is complete. When the call is made, rcx has the result of
 * the checks of the traces, 0.
 */
__asm__(".pushsection .text\n"
        ".type under_mask_call, @function\n"
        ".p2align 4\n"
        "under_mask_call:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %rbx, 0\n"
        "push %rbp\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %rbp, 0\n"
        "push %r12\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %r12, 0\n"
        "push %r13\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %r13, 0\n"
        "push %r14\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %r14, 0\n"
        "push %r15\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %r15, 0\n"
        "mov %rdi, %rbx\n"
        "lea -208(%rsp), %r12\n" /* RED_ZONE + TRACE_BYTES */
        "mov 80(%rbx), %r13\n"
        "test %r13, %r13\n"
        "cmovz %r12, %r13\n"
        "mov 88(%rbx), %r14\n"
        "lea under_mask_section(%rip), %r15\n"
        "xor %eax, %eax\n"
        "mov $10, %ecx\n"
        "mov %r12, %rdi\n"
        "rep stosq\n"
        "mov $10, %ecx\n"
        "mov %r13, %rdi\n"
        "rep stosq\n"
        "mov $2, %edi\n" /* SIG_SETMASK */
        "lea 56(%rbx), %rsi\n"
        "xor %edx, %edx\n"
        "mov $8, %r10d\n"
        "mov $14, %eax\n" /* SYS_rt_sigprocmask */
        "syscall\n"
        "under_mask_open:\n"
        "1: mov 8(%rbx), %rdi\n"
        "mov 16(%rbx), %rsi\n"
        "mov 24(%rbx), %rdx\n"
        "mov 32(%rbx), %r10\n"
        "mov 40(%rbx), %r8\n"
        "mov 48(%rbx), %r9\n"
        "mov (%rbx), %rax\n"
        "mov %r15, (%r14)\n"
        "under_mask_start:\n"
        "xor %ecx, %ecx\n"
        ".irp at, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72\n"
        "or \\at(%r12), %rcx\n"
        "or \\at(%r13), %rcx\n"
        ".endr\n"
        "test %rcx, %rcx\n"
        "jnz 3f\n"
        "syscall\n"
        "under_mask_end:\n"
        "jmp 4f\n"
        ".byte 0x0f, 0xb9, 0x3d\n" /* ud1: the signature that the kernel wants before an abort */
        ".long 0x53053053\n"
        "under_mask_abort:\n"
        "lea under_mask_end(%rip), %rbp\n"
        "cmp %rbp, %rcx\n"
        "jne 1b\n"
        "mov (%rbx), %rax\n"
        "syscall\n"
        "under_mask_plain_end:\n"
        "jmp 4f\n"
        "under_mask_result:\n"
        "3: mov $-10001, %rax\n" /* UNDER_MASK_HANDLED */
        "4: mov %rax, %rbp\n"
        "movq $0, (%r14)\n"
        "mov $2, %edi\n"
        "lea 64(%rbx), %rsi\n"
        "lea 56(%rbx), %rdx\n"
        "mov $8, %r10d\n"
        "mov $14, %eax\n"
        "syscall\n"
        "under_mask_closed:\n"
        "mov %rbp, %rax\n"
        "5: .cfi_remember_state\n"
        "pop %r15\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %r15\n"
        "pop %r14\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %r14\n"
        "pop %r13\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %r13\n"
        "pop %r12\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %r12\n"
        "pop %rbp\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %rbp\n"
        "pop %rbx\n"
        ".cfi_adjust_cfa_offset -8\n"
        ".cfi_restore %rbx\n"
        "ret\n"
        "6: .cfi_restore_state\n" /* under_mask_leave() goes on here, on that stack */
        "mov $-10002, %rax\n"     /* UNDER_MASK_RUNG */
        "jmp 5b\n"
        ".cfi_endproc\n"
        ".size under_mask_call, . - under_mask_call\n"

        ".type under_mask_leave, @function\n"
        "under_mask_leave:\n"
        ".cfi_startproc\n"
        "mov %rdi, %rsp\n"
        "jmp 6b\n"
        ".cfi_endproc\n"
        ".size under_mask_leave, . - under_mask_leave\n"
        ".popsection\n"

        ".pushsection .data.rel.ro.local, \"aw\"\n"
        ".p2align 5\n"
        "under_mask_section:\n" /* struct rseq_cs, linux/rseq.h */
        ".long 0, 0\n"
        ".quad under_mask_start, under_mask_end - under_mask_start, under_mask_abort\n"
        ".popsection\n");

#define AT(member, offset) \
    _Static_assert(offsetof(struct under_mask, member) == (offset), "the offsets above")
AT(number, 0);
AT(arguments, 8);
AT(mask, 56);
AT(blocked, 64);
AT(alternate, 80);
AT(section, 88);
_Static_assert(RED_ZONE + TRACE_BYTES == 208 && SYS_rt_sigprocmask == 14 && SIG_SETMASK == 2 &&
                   UNDER_MASK_HANDLED == -10001 && UNDER_MASK_RUNG == -10002,
               "the numbers above");

/* Return the place where the kernel puts the frame of a handler with SA_ONSTACK: below the alternate stack's top,
 * without red zone, unless the thread is on this stack already. */
static uint64_t *top_of_alternate(void)
{
    stack_t stack;

    if (sys_call3(SYS_sigaltstack, 0, (long)&stack, 0) != 0 ||
        stack.ss_flags & (SS_DISABLE | SS_ONSTACK) || stack.ss_size < TRACE_BYTES)
        return NULL;
    return (uint64_t *)((char *)stack.ss_sp + stack.ss_size - TRACE_BYTES);
}

/* Return the thread's word for its present restartable sequence; a word without meaning if libc has none. */
static uint64_t *section_of_thread(struct under_mask *call)
{
    if (!&__rseq_size || !&__rseq_offset || __rseq_size == 0)
        return &call->none;
    return (uint64_t *)((char *)__builtin_thread_pointer() + __rseq_offset + 8);
}

long under_mask_run(struct under_mask *call)
{
    call->rung = false;
    call->alternate = top_of_alternate();
    call->section = section_of_thread(call);
    return under_mask_call(call);
}

static bool is_pc_between(uint64_t pc, const char *from, const char *to)
{
    return pc >= (uintptr_t)from && pc < (uintptr_t)to;
}

bool under_mask_interrupted(const void *context)
{
    const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t pc = (uint64_t)registers[REG_RIP];

    if (pc != (uintptr_t)under_mask_end && pc != (uintptr_t)under_mask_plain_end)
        return is_pc_between(pc, under_mask_open, under_mask_result);
    if (registers[REG_RAX] == -EINTR)
        return true;
    ((struct under_mask *)(uintptr_t)registers[REG_RBX])->rung = true;
    return false;
}

void under_mask_go_back(const void *context)
{
    under_mask_leave(sigframe_sp(context));
}
