/*
 * doorbell.c - the signal handler: all async-signal code of the shim.
 *
 * The handler runs on any thread of the host, at any moment: no lock, no allocation, no libc, and
 * errno untouched (sys.h). On a host thread it only passes the signal on; the listener, which
 * unblocks it in ppoll alone, thereby leaves its ppoll.
 */
#include "doorbell.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/doorbell_value.h"
#include "first_ring.h"
#include "interrupted.h"
#include "preload/exec_notice.h"
#include "settings.h"
#include "state.h"
#include "sys.h"
#include "threads.h"

static _Atomic int doorbell STATE;
static _Atomic bool rang STATE;

static void handler(int signal, siginfo_t *info, void *context)
{
    exec_notice_rung(doorbell_flags(info));
    /* Before the look for a listener: one that starts now looks at `rang` itself. */
    atomic_store_explicit(&rang, true, memory_order_seq_cst);
    if (sys_gettid() == threads_listener())
        return;
    if (threads_listener() != 0)
        threads_poke();
    else
        first_ring_try(context);
    interrupted_go_on(context, signal);
    first_ring_go_on(context, signal);
}

void doorbell_start(int signal)
{
    const sys_sigset mask = ~DOORBELL_OPEN_SIGNALS;
    struct sigaction old,
        action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

    memcpy(&action.sa_mask, &mask, sizeof(mask)); /* sigfillset(3) leaves signal 32 out */
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

int doorbell_signal(void)
{
    int signal = atomic_load_explicit(&doorbell, memory_order_acquire);
    struct sigaction now;

    if (signal == 0)
        return 0;
    if (sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == handler)
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
    static const struct sys_sigaction ignore = {.handler = SIG_IGN};
    int signal = doorbell_number();
    union {
        void (*with_context)(int, siginfo_t *, void *);
        void (*plain)(int);
    } own = {handler};

    return signal != 0 && sys_sigaction(signal, NULL, old) == 0 && old->handler == own.plain &&
           sys_sigaction(signal, &ignore, NULL) == 0;
}

bool doorbell_rang(void)
{
    return atomic_exchange_explicit(&rang, false, memory_order_acq_rel);
}
