/* borrowed_memory.c - see borrowed_memory.h. */
#include "preload/borrowed_memory.h"

#include <linux/kcmp.h>
#include <pthread.h>

#include "base/sys.h"
#include "preload/filters.h"

/* Return the thread id that libc has for the caller. libc keeps it in thread-local data, and a child made without
 * fork(3) has its parent's value. The owner of a recursive mutex shows it (pthread_mutex_t, __owner). */
static pid_t tid_by_libc(void)
{
    pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pid_t tid;

    pthread_mutex_lock(&mutex);
    tid = mutex.__data.__owner;
    pthread_mutex_unlock(&mutex);
    return tid;
}

bool memory_is_borrowed(void)
{
    pid_t tid = sys_gettid(), pid;

    if (tid == tid_by_libc())
        return false;
    pid = sys_getpid();
    /* A child made without fork(3) has a copy. If the kernel cannot show this, or must not be called, the memory
     * counts as borrowed. */
    return tid != pid || filters_at_start() || !filters_let(SYS_getppid) ||
           !filters_let(SYS_kcmp) ||
           sys_call(SYS_kcmp, pid, sys_call3(SYS_getppid, 0, 0, 0), KCMP_VM, 0, 0, 0) <= 0;
}
