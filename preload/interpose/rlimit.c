/*
 * rlimit.c - setrlimit(2) and prlimit(2) as the host calls them.
 *
 * A daemon that will start no thread or process any more, like haproxy's worker, gives up the right to make threads
 * (RLIMIT_NPROC 0). It may do so before the listener exists, which is made a little after the process. So the
 * listener is made before the call.
 */
#include <sys/resource.h>
#include <sys/types.h>

#include "base/sys.h"
#include "preload/shim_active.h"
#include "preload/threads.h"

#define EXPORTED __attribute__((visibility("default")))

/* The names of the two widths mean the same on x86-64; <sys/resource.h> may have made them macros. */
#undef setrlimit64
#undef prlimit64

/* ThreadSanitizer's start calls setrlimit before code that is built with it may run. */
#ifndef __SANITIZE_THREAD__

static int set_limit(pid_t pid, unsigned resource, const struct rlimit *limit, struct rlimit *old)
{
    long result;

    if (resource == RLIMIT_NPROC && limit && shim_active() && threads_made())
        threads_hurry();
    result = sys_call4(SYS_prlimit64, pid, (long)resource, (long)limit, (long)old);
    return (int)sys_as_libc(result);
}

EXPORTED int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return set_limit(0, resource, limit, NULL);
}

EXPORTED int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *limit,
                     struct rlimit *old)
{
    return set_limit(pid, resource, limit, old);
}

EXPORTED int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    return set_limit(0, resource, (const struct rlimit *)(const void *)limit, NULL);
}

EXPORTED int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *limit,
                       struct rlimit64 *old)
{
    return set_limit(pid, resource, (const struct rlimit *)(const void *)limit,
                     (struct rlimit *)(void *)old);
}

#endif
