/* prctl.c - prctl(2) as the host calls it: it may set a seccomp filter (filters.h). */
#include <stdarg.h>
#include <sys/prctl.h>

#include "base/sys.h"
#include "preload/interpose/set_filter.h"
#include "preload/shim_active.h"
#include "preload/user_dispatch.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int prctl(int option, ...);

/* A sanitizer's start calls prctl before code that is built with it may run. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

int prctl(int option, ...)
{
    long arguments[4], result;
    va_list rest;

    va_start(rest, option);
    for (int i = 0; i < 4; i++)
        arguments[i] = va_arg(rest, long);
    va_end(rest);
    user_dispatch_note(option, arguments[0], (const volatile char *)arguments[3]);
    if (shim_active() && set_filter_is(SYS_prctl, (unsigned long)option))
        result =
            set_filter(SYS_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3]);
    else if (user_dispatch_syscall)
        return (int)user_dispatch_syscall(SYS_prctl, (long)option, arguments[0], arguments[1],
                                          arguments[2], arguments[3]);
    else
        result =
            sys_call(SYS_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3], 0);
    return (int)sys_as_libc(result);
}

#endif
