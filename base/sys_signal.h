/*
 * sys_signal.h - rt_sigaction(2) without libc, with the kernel's own structure (arch/x86/include/uapi/asm/signal.h).
 * Its result can be set again unchanged, with the restorer. Any thread, also in signal handlers and children of
 * vfork(2).
 */
#ifndef HOTPATCH_SYS_SIGNAL_H
#define HOTPATCH_SYS_SIGNAL_H

#include "base/sys.h"

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

struct sys_sigaction {
    uintptr_t
        handler; /* SIG_DFL, SIG_IGN, or a function of one parameter, with SA_SIGINFO of three */
    unsigned long flags;
    void (*restorer)(void);
    sys_sigset mask;
};

static inline int sys_sigaction(int signal, const struct sys_sigaction *action,
                                struct sys_sigaction *old)
{
    return (int)sys_call4(SYS_rt_sigaction, signal, (long)action, (long)old, sizeof(sys_sigset));
}

#endif
