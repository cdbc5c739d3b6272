/*
 * doorbell.c - see doorbell.h.
 *
 * Runs on host threads, also in signal handlers and children of vfork(2): no lock, no allocation.
 */
#include "preload/doorbell.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/borrowed_memory.h"
#include "preload/settings.h"
#include "preload/shim_active.h"
#include "preload/threads.h"

static _Atomic int doorbell STATE;
static _Atomic bool rang STATE;
static doorbell_function *handler STATE;

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

bool doorbell_start(int signal, doorbell_function *function)
{
    struct sigaction old, action;

    handler = function;
    doorbell_action(&action);
    if (signal == 0 || sigaction(signal, NULL, &old) != 0)
        return false;
    if ((old.sa_flags & SA_SIGINFO) || (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN))
        return false;
    if (sigaction(signal, &action, NULL) == 0)
        atomic_store_explicit(&doorbell, signal, memory_order_release);
    return old.sa_handler == SIG_IGN;
}

bool doorbell_makes_threads(void)
{
    return settings.listen != LISTEN_START && doorbell_number() != 0;
}

/* Read the kernel's action, because the shim's own sigaction(2) hides the handler. */
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

void doorbell_give_up(void)
{
    /* A child of vfork(2) has signal actions of its own, but its parent's memory. */
    if (memory_is_borrowed())
        return;
    atomic_store_explicit(&doorbell, 0, memory_order_release);
    if (shim_active() && settings.listen == LISTEN_FIRST_RING && !threads_made())
        threads_start(false);
}

void doorbell_hide(struct sys_sigaction *action)
{
    if (action->handler == (uintptr_t)handler)
        *action = (struct sys_sigaction){.handler = (uintptr_t)SIG_DFL};
}

sighandler_t doorbell_after_change(sighandler_t old)
{
    int signal = doorbell_number();
    struct sys_sigaction now;
    struct sigaction action;

    if (signal != 0 && !is_in_force(signal, &now)) {
        if (now.handler == (uintptr_t)SIG_DFL) {
            doorbell_action(&action);
            sigaction(signal, &action, NULL);
        } else {
            doorbell_give_up();
        }
    }
    return (uintptr_t)old == (uintptr_t)handler ? SIG_DFL : old;
}

void doorbell_note_ring(void)
{
    atomic_store_explicit(&rang, true, memory_order_seq_cst);
}

bool doorbell_rang(void)
{
    return atomic_exchange_explicit(&rang, false, memory_order_acq_rel);
}
