/*
 * clone.c - clone(2), _Fork(3) and their numbers by syscall(2), as the host calls them to make a child that has a
 * copy of the memory.
 *
 * Such a child has no thread but its caller's, and runs no fork handler. A lock of the dynamic linker or of malloc
 * that a thread of the shim holds while it loads a patch would be held in the child for ever. These calls therefore
 * wait, as long as fork(3) does at most, until the running request is over, and no request begins until the child is
 * made. A child that shares the memory (CLONE_VM: threads, vfork, posix_spawn) sees the locks released, and is not
 * changed. A system call instruction of the host's own is not seen.
 *
 * Runs on any thread of the host, also in a signal handler: of libc it calls only the interposed function itself.
 */
#include "preload/interpose/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/at_fork.h"
#include "preload/exec_notice.h"
#include "preload/interpose/give_way.h"
#include "preload/libc_next.h"
#include "preload/shim_active.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int (*clone_function)(int (*)(void *), void *, int, void *, ...);
typedef pid_t (*fork_function)(void);

EXPORTED int clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
EXPORTED pid_t _Fork(void);

static fork_function libc_raw_fork(void)
{
    static _Atomic(void *) known STATE;
    void *symbol = libc_next("_Fork", &known);
    fork_function function;

    memcpy(&function, &symbol, sizeof(function));
    return function;
}

/* Look _Fork(3) up at the start: it may be called where no symbol can be looked up. */
__attribute__((constructor)) static void find_raw_fork(void)
{
    libc_raw_fork();
}

/* Hold the locks while a copy of the memory is made. Return false in a signal handler that interrupted a thread which
 * holds them for a child already. */
static bool hold_for_copy(void)
{
    if (!shim_active() || at_fork_is_copying())
        return false;
    at_fork_copy_prepare();
    return true;
}

/* Release the locks, in the parent, and in the child, where no other thread can hold them. */
static void end_copy(bool child)
{
    if (child)
        at_fork_copy_child();
    else
        at_fork_copy_parent();
}

/* ---- clone(2) ---- */

struct start {
    int (*function)(void *);
    void *argument;
};

/* Run on the child's own stack. `start` lies in the child's copy of the parent's stack. */
static int start_child(void *start_)
{
    const struct start start = *(const struct start *)start_;

    end_copy(true);
    return start.function(start.argument);
}

EXPORTED int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    LIBC_NEXT(clone_function, next, clone);
    struct start start = {function, argument};
    void *parent_tid, *tls, *child_tid;
    va_list rest;
    int result, error;

    va_start(rest, argument);
    parent_tid = va_arg(rest, void *);
    tls = va_arg(rest, void *);
    child_tid = va_arg(rest, void *);
    va_end(rest);
    if (!next) {
        errno = ENOSYS;
        return -1;
    }
    if ((flags & CLONE_VM) || !function || !hold_for_copy()) {
        uint32_t executing = exec_notice_executing();

        result = next(function, stack, flags, argument, parent_tid, tls, child_tid);
        /* As in vfork.c, the caller has waited until the child executed a program or ended. */
        if ((flags & CLONE_VM) && (flags & CLONE_VFORK))
            exec_notice_put_back(executing);
        return result;
    }
    result = next(start_child, stack, flags, &start, parent_tid, tls, child_tid);
    error = errno;
    end_copy(false);
    if (result < 0 && give_way(error))
        return next(function, stack, flags, argument, parent_tid, tls, child_tid);
    errno = error;
    return result;
}

EXPORTED pid_t _Fork(void)
{
    fork_function next = libc_raw_fork();
    bool held;
    pid_t result;
    int error;

    if (!next) {
        errno = ENOSYS;
        return -1;
    }
    held = hold_for_copy();
    result = next();
    error = errno;
    if (held)
        end_copy(result == 0);
    if (result < 0 && give_way(error))
        return next();
    errno = error;
    return result;
}

/* ---- syscall(2), for by_number.c ---- */

static bool copies(long number, unsigned long a, unsigned long b, bool *elsewhere)
{
    const struct clone_args *args = (const void *)a;

    *elsewhere = false;
    if (number == SYS_fork)
        return true;
    if (number == SYS_clone) {
        *elsewhere = b != 0;
        return !(a & CLONE_VM);
    }
    if (b < CLONE_ARGS_SIZE_VER0 || a % sizeof(uint64_t) != 0 || !sys_is_readable(args) ||
        !sys_is_readable(&args->tls))
        return false;
    *elsewhere = args->stack != 0;
    return !(args->flags & CLONE_VM);
}

bool clone_takes(long number, unsigned long a, unsigned long b)
{
    bool elsewhere;

    if (!shim_active() || !copies(number, a, b, &elsewhere))
        return false;
    if (elsewhere && hold_for_copy())
        end_copy(false);
    return !elsewhere;
}

long clone_by_number(long number, long a, long b, long c, long d, long e, long f)
{
    bool held = hold_for_copy();
    long result = sys_call(number, a, b, c, d, e, f);

    if (held)
        end_copy(result == 0);
    if (result < 0 && give_way((int)-result))
        result = sys_call(number, a, b, c, d, e, f);
    return result;
}
