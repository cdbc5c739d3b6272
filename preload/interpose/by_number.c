/*
 * by_number.c - syscall(2) as the host calls it: the calls that the shim stands in for by their names are the
 * same by their numbers. What is left is a system call instruction of the host's own.
 *
 * Any thread of the host, also inside a signal handler: no libc but errno.
 */
#include "preload/by_number.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"
#include "preload/doorbell.h"
#include "preload/exec_notice.h"
#include "preload/interpose/clone.h"
#include "preload/interpose/set_filter.h"
#include "preload/shim_active.h"
#include "preload/user_dispatch.h"

#if defined(__x86_64__)

#define EXPORTED __attribute__((visibility("default")))
#define BY_ASSEMBLY __attribute__((visibility("hidden")))

enum { NUMBERS = 448 };

EXPORTED long syscall(long number, ...);
bool syscall_takes(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                   unsigned long e) BY_ASSEMBLY;
long syscall_take(long number, long a, long b, long c, long d, long e, long f) BY_ASSEMBLY;

#define WORD(number) [(number) / 64]
#define BIT(number) (UINT64_C(1) << ((number) % 64))

/* One bit for each number that is looked at. */
extern const uint64_t syscall_seen[NUMBERS / 64] BY_ASSEMBLY;
const uint64_t syscall_seen[NUMBERS / 64] = {
    WORD(SYS_rt_sigaction) =
        BIT(SYS_rt_sigaction) | BIT(SYS_clone) | BIT(SYS_fork) | BIT(SYS_execve),
    WORD(SYS_prctl) = BIT(SYS_prctl),
    WORD(SYS_seccomp) = BIT(SYS_seccomp),
    WORD(SYS_execveat) = BIT(SYS_execveat),
    WORD(SYS_clone3) = BIT(SYS_clone3),
};

/*
 * Any number that is not looked at is called at once, as libc calls it, at the cost of a comparison, a bit
 * test and a store into the red zone. The child of a call that shares the memory, or that names another stack, returns past every
 * function of ours: it finds the caller's return address on top.
 */
__asm__(".pushsection .text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        ".p2align 4\n"
        "syscall:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "cmp $447, %rdi\n"
        "ja 1f\n"
        "bt %rdi, syscall_seen(%rip)\n"
        "jc 2f\n"
        "1: cmpq $0, user_dispatch_syscall(%rip)\n"
        "jne 4f\n"
        "mov %rdi, %rax\n"
        "mov %rdi, -8(%rsp)\n" /* the number, see by_number.h */
        "mov %rsi, %rdi\n"
        "mov %rdx, %rsi\n"
        "mov %rcx, %rdx\n"
        "mov %r8, %r10\n"
        "mov %r9, %r8\n"
        "mov 8(%rsp), %r9\n"
        ".globl by_number_here\n"
        "by_number_here:\n"
        "syscall\n"
        "cmp $-4095, %rax\n"
        "jae 3f\n"
        "ret\n"
        "2: push %rdi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rsi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rdx\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rcx\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r8\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r9\n"
        ".cfi_adjust_cfa_offset 8\n"
        "sub $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "call syscall_takes\n"
        "add $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r9\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r8\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rcx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rdx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rsi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rdi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "test %al, %al\n"
        "jz 1b\n"
        "jmp syscall_take\n"
        "4: jmp *user_dispatch_syscall(%rip)\n"
        "3: push %rax\n"
        ".cfi_adjust_cfa_offset 8\n"
        "call __errno_location@PLT\n"
        "pop %rcx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "neg %ecx\n"
        "mov %ecx, (%rax)\n"
        "mov $-1, %rax\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size syscall, . - syscall\n"
        ".popsection\n");

_Static_assert(SYS_execve < 64 && SYS_clone < 64, "one word of the table");
_Static_assert(NUMBERS == 448 && SYS_clone3 < NUMBERS, "the number above");

/* Return whether syscall_take() is to make the call. */
bool syscall_takes(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                   unsigned long e)
{
    (void)c;
    (void)d;
    switch (number) {
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
        return clone_takes(number, a, b);
    case SYS_prctl:
        user_dispatch_note((long)a, (long)b, (const volatile char *)e);
        return shim_active() && set_filter_is(number, a);
    case SYS_seccomp:
        return shim_active() && set_filter_is(number, a);
    default:
        return true;
    }
}

static long make_exec_call(long number, long a, long b, long c, long d, long e)
{
    struct exec_guard guard;
    long result;

    exec_begin(&guard);
    result = sys_call(number, a, b, c, d, e, 0);
    exec_failed(&guard);
    return result;
}

static long set_action_by_number(int signal, const void *action, struct sys_sigaction *old,
                                 long size)
{
    bool doorbell = signal == doorbell_number();
    long result = sys_call4(SYS_rt_sigaction, signal, (long)action, (long)old, size);

    if (!doorbell || result != 0)
        return result;
    if (old)
        doorbell_hide(old);
    if (action)
        doorbell_after_change(SIG_DFL);
    return result;
}

static long make_call(long number, long a, long b, long c, long d, long e, long f)
{
    switch (number) {
    case SYS_rt_sigaction:
        return set_action_by_number((int)a, (const void *)b, (struct sys_sigaction *)c, d);
    case SYS_execve:
    case SYS_execveat:
        return make_exec_call(number, a, b, c, d, e);
    case SYS_prctl:
    case SYS_seccomp:
        return set_filter(number, a, b, c, d, e);
    default:
        return clone_by_number(number, a, b, c, d, e, f);
    }
}

long syscall_take(long number, long a, long b, long c, long d, long e, long f)
{
    return sys_as_libc(make_call(number, a, b, c, d, e, f));
}

#endif
