/*
 * set_filter.c - see set_filter.h.
 *
 * Any thread of the host, also inside a signal handler.
 */
#include "preload/interpose/set_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/filters.h"
#include "preload/shim_active.h"
#include "preload/thread_role.h"
#include "preload/threads.h"

bool set_filter_is(long number, unsigned long operation)
{
    if (number == SYS_prctl)
        return operation == PR_SET_SECCOMP;
    return number == SYS_seccomp &&
           (operation == SECCOMP_SET_MODE_FILTER || operation == SECCOMP_SET_MODE_STRICT);
}

/* End the shim's threads before the call: the filter applies to all threads at once, and would end the process for
 * one of their calls. */
static void end_threads_that_it_kills(unsigned long flags, const struct sock_fprog *program)
{
    if (shim_active() && (flags & SECCOMP_FILTER_FLAG_TSYNC) && threads_made() &&
        thread_role() == THREAD_HOST && sys_is_readable(program) &&
        sys_is_readable(program->filter) && filters_would_kill(program))
        threads_stop(clock_ms() + THREADS_STOP_MS);
}

/* Return whether the filter was set. A positive result is the tid of a thread that could not be included, or the
 * requested descriptor. */
static bool has_set(long result, unsigned long flags)
{
    return result == 0 || (result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

long set_filter(long number, long a, long b, long c, long d, long e)
{
    bool strict = number == SYS_prctl ? b == SECCOMP_MODE_STRICT : a == SECCOMP_SET_MODE_STRICT;
    unsigned long flags = number == SYS_seccomp ? (unsigned long)b : 0;
    const struct sock_fprog *program = strict ? NULL : (const void *)c;
    long result;

    end_threads_that_it_kills(flags, program);
    filters_set_begin();
    result = sys_call(number, a, b, c, d, e, 0);
    filters_set_end(has_set(result, flags), program); /* the kernel has read `program` */
    return result;
}
