/*
 * unshare.c - unshare(2) and setns(2) as the host calls them.
 *
 * A process with a second thread must not unshare a user name space, and threads keep the name spaces in which they
 * were made. The shim's threads, if the process has them, therefore end before the call and are made again after it.
 */
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "preload/filters.h"
#include "preload/identity.h"
#include "preload/log.h"
#include "preload/shim_active.h"
#include "preload/threads.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int unshare(int flags);
EXPORTED int setns(int fd, int type);

/* End the threads. The engine lock must not be held: the listener may need it to end. */
static void end_threads(void)
{
    if (!threads_stop(clock_ms() + THREADS_STOP_MS))
        log_write(LOG_ERROR, "a thread of hotpatch does not end: the program's unshare may fail");
}

static ino_t user_namespace(void)
{
    struct stat st = {0};

    sys_fstatat(AT_FDCWD, "/proc/self/ns/user", &st, 0);
    return st.st_ino;
}

/* Make the call. Without listener and worker, or under a seccomp filter, no system call is added. `flags`: the name
 * spaces that a success changes. */
static int call_threadless(long number, long a, long b, int flags)
{
    long result = sys_call3(number, a, b, 0);

    if (result == 0 && shim_active() && (flags & CLONE_NEWUSER))
        identity_enter_user_namespace();
    return (int)sys_as_libc(result);
}

/* Make the call without the shim's threads. `flags`: the name spaces that a success changes; 0: not known. */
static int call_alone(long number, long a, long b, int flags)
{
    bool along = shim_active() && threads_made() && !filters_set() && threads_follow_caller();
    bool user = along && (flags == 0 || (flags & CLONE_NEWUSER));
    ino_t before = user ? user_namespace() : 0;
    long result;

    if (!along)
        return call_threadless(number, a, b, flags);
    if (user)
        threads_hurry(); /* the runtime directory must be known before owners lose their meaning */
    end_threads();
    result = sys_call3(number, a, b, 0);
    if (before != 0 && user_namespace() != before)
        identity_enter_user_namespace();
    threads_start(true);
    return (int)sys_as_libc(result);
}

EXPORTED int unshare(int flags)
{
    return call_alone(SYS_unshare, flags, 0, flags);
}

EXPORTED int setns(int fd, int type)
{
    return call_alone(SYS_setns, fd, type, type);
}
