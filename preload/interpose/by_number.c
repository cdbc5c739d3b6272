/*
 * by_number.c - syscall(2) as the host calls it. Calls that the shim interposes by their names are interposed by
 * their numbers too. A system call instruction of the host's own is not seen.
 *
 * Runs on any thread of the host, also in a signal handler: no libc but errno.
 */
#include "base/host_calls.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"
#include "preload/doorbell.h"
#include "preload/exec_notice.h"
#include "preload/interpose/clone.h"
#include "preload/interpose/set_filter.h"
#include "preload/shim_active.h"
#include "preload/user_dispatch.h"

#define WORD(number) [(number) / 64]
#define BIT(number) (UINT64_C(1) << ((number) % 64))

const uint64_t syscall_seen[SYSCALL_NUMBERS / 64] = {
    WORD(SYS_rt_sigaction) =
        BIT(SYS_rt_sigaction) | BIT(SYS_clone) | BIT(SYS_fork) | BIT(SYS_execve),
    WORD(SYS_prctl) = BIT(SYS_prctl),
    WORD(SYS_seccomp) = BIT(SYS_seccomp),
    WORD(SYS_execveat) = BIT(SYS_execveat),
    WORD(SYS_clone3) = BIT(SYS_clone3),
};

_Static_assert(SYS_execve < 64 && SYS_clone < 64, "one word of the table");
_Static_assert(SYS_clone3 < SYSCALL_NUMBERS, "room for each");

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

static long make_taken_call(long number, long a, long b, long c, long d, long e, long f)
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
    return sys_as_libc(make_taken_call(number, a, b, c, d, e, f));
}
