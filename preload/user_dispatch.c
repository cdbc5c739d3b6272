/*
 * user_dispatch.c - see user_dispatch.h. Any thread of the host, also inside a signal handler: no libc, no lock.
 */
#include "preload/user_dispatch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "preload/libc_symbols.h"

enum { SELECTOR_BLOCKS = 1 };

long (*user_dispatch_syscall)(long, ...);

/* The thread that set user dispatch last; 0: none. Only this thread reads its selector, which may be freed when the
 * thread ends. */
static _Atomic uintptr_t asker;
static const volatile char *_Atomic asked_selector;

void user_dispatch_note(long operation, long mode, const volatile char *selector)
{
    uint64_t libc = 0;

    if (operation != PR_SET_SYSCALL_USER_DISPATCH)
        return;
    atomic_store(&asker, 0);
    if (mode != PR_SYS_DISPATCH_ON)
        return;
    if (libc_symbols_find())
        libc = libc_symbol("syscall");
    if (libc != 0)
        __atomic_store_n(&user_dispatch_syscall, (long (*)(long, ...))(uintptr_t)libc,
                         __ATOMIC_RELEASE);
    atomic_store(&asked_selector, selector);
    atomic_store(&asker, (uintptr_t)pthread_self());
}

bool user_dispatch_blocks(void)
{
    uintptr_t thread = atomic_load(&asker);
    const volatile char *selector = atomic_load(&asked_selector);

    return thread != 0 && thread == (uintptr_t)pthread_self() &&
           (!selector || *selector == SELECTOR_BLOCKS);
}
