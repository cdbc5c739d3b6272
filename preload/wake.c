/* wake.c - see wake.h. */
#include "preload/wake.h"

#include <signal.h>
#include <string.h>

#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/thread_role.h"

static struct {
    _Atomic bool signalled; /* a signal was sent to the listener, which has not handled it yet */
    _Atomic uint32_t word;  /* the worker's word: counts reasons to check for work */
} wake STATE;

/* Send glibc's SIGSETXID, with a code for which its handler returns at once, so that only ppoll(2) ends
 * (nptl_setxid.c). Not the doorbell: a listener that takes a doorbell signal from its own queue may also take one
 * from the process's queue, which has woken a thread of the host already. */
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
    /* One pending signal is enough. More signals would fill the queue while the listener is busy. */
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
