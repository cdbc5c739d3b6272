/*
 * setxid.c - setuid(2) and its kin as the host calls them.
 *
 * glibc changes the identity of every thread. It aborts the process if the change succeeds on one thread and fails on
 * another (nptl(7), NPTL and process credential changes). Capabilities, PR_SET_KEEPCAPS and securebits belong to
 * single threads. A program that sets them sets them for its main thread, so the call could fail on the listener or
 * the worker. Both threads therefore end before the call and are made again after it, with the caller's rights.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "preload/filters.h"
#include "preload/libc_next.h"
#include "preload/shim_active.h"
#include "preload/thread_role.h"
#include "preload/threads.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int setuid(uid_t uid);
EXPORTED int setgid(gid_t gid);
EXPORTED int seteuid(uid_t uid);
EXPORTED int setegid(gid_t gid);
EXPORTED int setreuid(uid_t real, uid_t effective);
EXPORTED int setregid(gid_t real, gid_t effective);
EXPORTED int setresuid(uid_t real, uid_t effective, uid_t saved);
EXPORTED int setresgid(gid_t real, gid_t effective, gid_t saved);
EXPORTED int setgroups(size_t count, const gid_t *groups);

typedef int (*setter)(unsigned long, unsigned long, unsigned long);

struct capabilities {
    struct __user_cap_data_struct data[2];
};

static bool read_capabilities(pid_t tid, struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = tid};

    memset(capabilities, 0, sizeof(*capabilities));
    return sys_call3(SYS_capget, (long)&header, (long)capabilities->data, 0) == 0;
}

static bool differs_from(pid_t tid)
{
    struct capabilities own, other;

    return tid != 0 && read_capabilities(0, &own) && read_capabilities(tid, &other) &&
           memcmp(&own, &other, sizeof(own)) != 0;
}

/* Return whether the call may fail on the shim's threads. Also true if KEEPCAPS was set before the threads were made,
 * so that they have it as well. */
static bool others_may_fail(void)
{
    return sys_prctl(PR_GET_KEEPCAPS, 0, 0, 0) > 0 || sys_prctl(PR_GET_SECUREBITS, 0, 0, 0) > 0 ||
           differs_from(thread_role_worker()) || differs_from(thread_role_listener());
}

static int call_setter(setter function, unsigned long a, unsigned long b, unsigned long c)
{
    /* Without listener and worker, or under a seccomp filter, no system call is added. */
    bool alone = shim_active() && threads_made() && !filters_set() && threads_follow_caller() &&
                 others_may_fail();
    int result = -1, error = ENOSYS;

    if (alone)
        threads_stop(clock_ms() + THREADS_STOP_MS);
    if (function) {
        result = function(a, b, c);
        error = errno;
    }
    if (alone)
        threads_start(true);
    if (result != 0)
        errno = error;
    return result;
}

#define CALL(name, a, b, c)                    \
    do {                                       \
        LIBC_NEXT(setter, function, name);     \
                                               \
        return call_setter(function, a, b, c); \
    } while (0)

int setuid(uid_t uid)
{
    CALL(setuid, uid, 0, 0);
}

int setgid(gid_t gid)
{
    CALL(setgid, gid, 0, 0);
}

int seteuid(uid_t uid)
{
    CALL(seteuid, uid, 0, 0);
}

int setegid(gid_t gid)
{
    CALL(setegid, gid, 0, 0);
}

int setreuid(uid_t real, uid_t effective)
{
    CALL(setreuid, real, effective, 0);
}

int setregid(gid_t real, gid_t effective)
{
    CALL(setregid, real, effective, 0);
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    CALL(setresuid, real, effective, saved);
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    CALL(setresgid, real, effective, saved);
}

int setgroups(size_t count, const gid_t *groups)
{
    CALL(setgroups, count, (unsigned long)groups, 0);
}
