/* host_signals.c - see host_signals.h. */
#include "host_signals.h"

/* The kernel's own (arch/x86/include/uapi/asm/signal.h); glibc's has other members in another order. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    sys_sigset mask;
};

void host_signals_read(struct host_signals *signals, int doorbell)
{
    struct kernel_action action;

    *signals = (struct host_signals){0, 0};
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == doorbell ||
            sys_call4(SYS_rt_sigaction, signal, 0, (long)&action, sizeof(action.mask)) != 0 ||
            action.handler == SIG_DFL || action.handler == SIG_IGN)
            continue;
        signals->handled |= SYS_SIGBIT(signal);
        if (!(action.flags & SA_RESTART))
            signals->ending |= SYS_SIGBIT(signal);
    }
}
