/* host_signals.c - see host_signals.h. */
#include "preload/host_signals.h"

#include "base/sys_signal.h"

void host_signals_read(struct host_signals *signals, int doorbell)
{
    struct sys_sigaction action;

    *signals = (struct host_signals){0, 0};
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == doorbell || sys_sigaction(signal, NULL, &action) != 0 ||
            action.handler == (uintptr_t)SIG_DFL || action.handler == (uintptr_t)SIG_IGN)
            continue;
        signals->handled |= SYS_SIGBIT(signal);
        if (!(action.flags & SA_RESTART))
            signals->ending |= SYS_SIGBIT(signal);
    }
}
