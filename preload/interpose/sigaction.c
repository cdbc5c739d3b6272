/*
 * sigaction.c - sigaction(2), signal(2) and their kin as the host calls them for the doorbell's signal.
 *
 * The host does not see the shim's handler. A call that reads the action gets the default action. Where the host sets
 * the default action, the shim's handler is set. If the host sets a handler of its own, or SIG_IGN, there is no
 * doorbell any more. The shim's threads are then made, because no later ring can make them.
 *
 * Runs on any thread of the host, also in signal handlers and children of vfork(2). Any other signal is passed to
 * libc's own function after one comparison.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/doorbell.h"
#include "preload/libc_next.h"

#define EXPORTED __attribute__((visibility("default")))

/* The sanitizers have functions of these names, which are called instead of the shim's. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

typedef int (*action_setter)(int, const struct sigaction *, struct sigaction *);
typedef sighandler_t (*handler_setter)(int, sighandler_t);
typedef int (*signal_ignorer)(int);

EXPORTED int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
EXPORTED sighandler_t signal(int signal, sighandler_t handler);
EXPORTED sighandler_t bsd_signal(int signal, sighandler_t handler);
EXPORTED sighandler_t ssignal(int signal, sighandler_t handler);
EXPORTED sighandler_t sysv_signal(int signal, sighandler_t handler);
EXPORTED sighandler_t __sysv_signal(int signal, sighandler_t handler);
EXPORTED sighandler_t sigset(int signal, sighandler_t handler);
EXPORTED int sigignore(int signal);

static int libc_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    static _Atomic(void *) known STATE;
    void *symbol = libc_next("sigaction", &known);
    action_setter function;

    memcpy(&function, &symbol, sizeof(symbol));
    return function(signal, action, old);
}

static bool is_default(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* Set the doorbell's action with one system call, as for any other signal. */
static int set_doorbell_action(int signal, const struct sigaction *action, struct sigaction *old)
{
    struct sigaction own, before;
    bool stays = !action || is_default(action);
    int result;

    if (action && stays) {
        doorbell_action(&own);
        action = &own;
    }
    result = libc_sigaction(signal, action, &before);
    if (result == 0 && old) {
        if (doorbell_is_ours(&before))
            memset(&before, 0, sizeof(before)); /* SIG_DFL, no flag, no mask */
        *old = before;
    }
    if (result == 0 && !stays)
        doorbell_give_up();
    return result;
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    if (signal != doorbell_number())
        return libc_sigaction(signal, action, old);
    return set_doorbell_action(signal, action, old);
}

/* ---- by a handler alone ---- */

static sighandler_t set_handler(int signal, sighandler_t handler, int flags)
{
    struct sigaction action = {.sa_flags = flags}, old;

    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    if (!(flags & SA_NODEFER))
        sigaddset(&action.sa_mask, signal);
    return set_doorbell_action(signal, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static sighandler_t libc_signal(const char *name, _Atomic(void *) *known, int signal,
                                sighandler_t handler)
{
    void *symbol = libc_next(name, known);
    handler_setter function;

    memcpy(&function, &symbol, sizeof(symbol));
    return function(signal, handler);
}

/* Define signal(2) or a function like it. `flags` are those that glibc sets for the name (signal/, sysdeps/posix/). */
#define BY_HANDLER(name, flags)                                 \
    sighandler_t name(int signal, sighandler_t handler)         \
    {                                                           \
        static _Atomic(void *) known;                           \
                                                                \
        if (signal != doorbell_number())                        \
            return libc_signal(#name, &known, signal, handler); \
        return set_handler(signal, handler, flags);             \
    }

BY_HANDLER(signal, SA_RESTART)
BY_HANDLER(bsd_signal, SA_RESTART)
BY_HANDLER(ssignal, SA_RESTART)
BY_HANDLER(sysv_signal, (int)SA_RESETHAND | SA_NODEFER)
BY_HANDLER(__sysv_signal, (int)SA_RESETHAND | SA_NODEFER)

/* sigset(3) also sets the mask, and knows SIG_HOLD. libc's own function makes the calls. Afterwards the default
 * action is replaced by the shim's handler again. */
sighandler_t sigset(int signal, sighandler_t handler)
{
    static _Atomic(void *) known;
    bool is_doorbell = signal == doorbell_number();
    sighandler_t old = libc_signal("sigset", &known, signal, handler);

    return is_doorbell && old != SIG_ERR ? doorbell_after_change(old) : old;
}

int sigignore(int signal)
{
    LIBC_NEXT(signal_ignorer, function, sigignore);
    bool is_doorbell = signal == doorbell_number();
    int result = function(signal);

    if (is_doorbell && result == 0)
        doorbell_after_change(SIG_DFL);
    return result;
}

#endif
