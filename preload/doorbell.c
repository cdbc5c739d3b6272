/*
 * doorbell.c - the signal handler.
 *
 * The handler runs on any thread of the host, at any moment: no lock, no allocation, no libc, and errno
 * untouched (sys.h), but in first_ring.c, at a moment that has been found safe for libc. On a host thread it
 * pokes the listener, or makes it, and lets the interrupted call go on. The listener unblocks the signal in
 * ppoll(2) alone, which the handler ends by returning.
 *
 * Without SA_ONSTACK. An alternate stack may be smaller than the kernel's own frame: 2,048 bytes, which
 * sigaltstack(2) accepts, against 3.6 kB with AVX-512, and the host would end before our code runs. One of 8 kB
 * has room for the frame and not for that of a handler of the host's on top, while a call waits on in
 * interrupted.c. A thread's ordinary stack has room for each handler without SA_ONSTACK. Where it has not,
 * as in code that runs on stacks of a few kB (OCaml 5, gccgo), HOTPATCH_SIGNAL=none is what is left; Go and
 * the Erlang runtime put all handlers on their alternate stacks themselves.
 */
#include "preload/doorbell.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/doorbell_value.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/borrowed_memory.h"
#include "preload/exec_notice.h"
#include "preload/filters.h"
#include "preload/first_ring.h"
#include "preload/interrupted.h"
#include "preload/preload.h"
#include "preload/settings.h"
#include "preload/threads.h"
#include "preload/user_dispatch.h"

/* Bytes of stack: for handlers of other libraries that call ours. */
#define HANDLERS_BETWEEN (16ul << 10)

static _Atomic int doorbell STATE;
static _Atomic bool rang STATE;

/* May this thread of the host make system calls? A seccomp filter may end the process for one, as does user
 * dispatch. The command has counted the thread's filters; without it only those that the host has not hidden are
 * known. */
static bool may_call(const siginfo_t *info)
{
    uint32_t flags = doorbell_flags(info);

    if (user_dispatch_blocks())
        return false;
    if (flags & DOORBELL_MAY_CALL)
        return filters_allow((int)(flags >> DOORBELL_FILTERS_SHIFT & DOORBELL_FILTERS_MAX));
    return !filters_refuse();
}

/* Is it what the kernel put on this stack? ThreadSanitizer keeps a signal back and calls the handler later, with a
 * copy: the interrupted call has gone on by then, and what is written to the copy has no effect. */
static bool is_of_now(const void *context, const void *frame)
{
    uintptr_t above = (uintptr_t)context - (uintptr_t)frame;

    return above < HANDLERS_BETWEEN;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    bool now = is_of_now(context, __builtin_frame_address(0)), tried = false;
    enum thread_role self = threads_self();

    exec_notice_rung(doorbell_flags(info));
    /* Before the look for a listener: one that starts now looks at `rang` itself. */
    atomic_store_explicit(&rang, true, memory_order_seq_cst);
    if (self == THREAD_LISTENER || (self == THREAD_HOST && !may_call(info)))
        return;
    if (threads_listener() != 0)
        listener_wake();
    else if (now)
        tried = first_ring_try(context);
    if (!now)
        return;
    interrupted_go_on(context, signal);
    if (!tried)
        first_ring_go_on(context, signal);
}

void doorbell_action(struct sigaction *action)
{
    const sys_sigset mask = ~DOORBELL_OPEN_SIGNALS;

    *action = (struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    memcpy(&action->sa_mask, &mask, sizeof(mask)); /* sigfillset(3) leaves signal 32 out */
}

bool doorbell_is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handler;
}

void doorbell_start(int signal)
{
    struct sigaction old, action;

    doorbell_action(&action);
    if (signal == 0 || sigaction(signal, NULL, &old) != 0)
        return;
    if ((old.sa_flags & SA_SIGINFO) || (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN))
        return;
    if (sigaction(signal, &action, NULL) == 0)
        atomic_store_explicit(&doorbell, signal, memory_order_release);
    if (old.sa_handler == SIG_IGN)
        exec_notice_inherit();
}

bool doorbell_was_ours(void)
{
    return atomic_load_explicit(&doorbell, memory_order_relaxed) != 0;
}

/* By the kernel's word: sigaction(2) is the shim's own, which does not tell. */
static bool is_in_force(int signal, struct sys_sigaction *now)
{
    return sys_sigaction(signal, NULL, now) == 0 && now->handler == (uintptr_t)handler;
}

int doorbell_signal(void)
{
    int signal = atomic_load_explicit(&doorbell, memory_order_acquire);
    struct sys_sigaction now;

    if (signal == 0 || is_in_force(signal, &now))
        return signal;
    atomic_store_explicit(&doorbell, 0, memory_order_release);
    return 0;
}

int doorbell_number(void)
{
    return atomic_load_explicit(&doorbell, memory_order_relaxed);
}

bool doorbell_ignore(struct sys_sigaction *old)
{
    static const struct sys_sigaction ignore = {.handler = (uintptr_t)SIG_IGN};
    int signal = doorbell_number();

    return signal != 0 && is_in_force(signal, old) && sys_sigaction(signal, &ignore, NULL) == 0;
}

void doorbell_taken(void)
{
    /* The handlers of a child of vfork(2) are its own, and the memory is not. */
    if (memory_is_borrowed())
        return;
    atomic_store_explicit(&doorbell, 0, memory_order_release);
    if (preload_active() && settings.listen == LISTEN_FIRST_RING && !threads_made())
        threads_start(false);
}

void doorbell_hide(struct sys_sigaction *action)
{
    if (action->handler == (uintptr_t)handler)
        *action = (struct sys_sigaction){.handler = (uintptr_t)SIG_DFL};
}

sighandler_t doorbell_seen(sighandler_t old)
{
    int signal = doorbell_number();
    struct sys_sigaction now;
    struct sigaction action;

    if (signal != 0 && !is_in_force(signal, &now)) {
        if (now.handler == (uintptr_t)SIG_DFL) {
            doorbell_action(&action);
            sigaction(signal, &action, NULL);
        } else {
            doorbell_taken();
        }
    }
    return (uintptr_t)old == (uintptr_t)handler ? SIG_DFL : old;
}

bool doorbell_rang(void)
{
    return atomic_exchange_explicit(&rang, false, memory_order_acq_rel);
}
