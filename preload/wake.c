/* wake.c - see wake.h. */
#include "preload/wake.h"

#include <signal.h>
#include <string.h>

#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/thread_role.h"

static struct {
    _Atomic bool signalled; /* the listener, which has not looked since */
    _Atomic uint32_t word;  /* of the worker: counts reasons to look */
} wake STATE;

/* glibc's SIGSETXID, with a code that its handler returns at, so that ppoll(2) ends and nothing else happens
 * (nptl_setxid.c). Not the doorbell: a listener that takes it from its own queue may take one
 * from the process's queue too, that has woken a thread of the host already. */
static bool send_signal(pid_t tid)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = WAKE_SIGNAL;
    info.si_code = SI_QUEUE;
    info.si_pid = sys_getpid();
    return sys_call4(SYS_rt_tgsigqueueinfo, info.si_pid, tid, WAKE_SIGNAL, (long)&info) == 0;
}

bool wake_listener(void)
{
    pid_t tid = thread_role_listener();

    if (tid == 0)
        return false;
    /* One signal under way is enough: more would wait in the queue while the listener is busy. */
    if (atomic_exchange(&wake.signalled, true) || send_signal(tid))
        return true;
    atomic_store(&wake.signalled, false);
    return false;
}

bool wake_listener_seen(void)
{
    return atomic_exchange(&wake.signalled, false);
}

void wake_worker(void)
{
    atomic_fetch_add_explicit(&wake.word, 1, memory_order_release);
    sys_futex_wake(&wake.word, 1);
}

const _Atomic uint32_t *wake_worker_word(void)
{
    return &wake.word;
}

void wake_reset(void)
{
    atomic_store_explicit(&wake.signalled, false, memory_order_relaxed);
}
