/*
 * doorbell_handler.c - see doorbell_handler.h.
 *
 * The handler runs on any thread of the host, at any moment: no lock, no allocation, no libc, and errno
 * untouched (sys.h), but in first_ring.c, at a moment that has been found safe for libc. On a host thread it
 * wakes the listener, or makes it, and lets the interrupted call go on. The listener unblocks the signal in
 * ppoll(2) alone, which the handler ends by returning.
 *
 * Without SA_ONSTACK. An alternate stack may be smaller than the kernel's own frame: 2,048 bytes, which
 * sigaltstack(2) accepts, against 3.6 kB with AVX-512, and the host would end before our code runs. One of 8 kB
 * has room for the frame and not for that of a handler of the host's on top, while a call waits on in
 * interrupted.c. A thread's ordinary stack has room for each handler without SA_ONSTACK. Where it has not,
 * as in code that runs on stacks of a few kB (OCaml 5, gccgo), HOTPATCH_SIGNAL=none is what is left; Go and
 * the Erlang runtime put all handlers on their alternate stacks themselves.
 */
#include "preload/doorbell_handler.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/doorbell_value.h"
#include "preload/doorbell.h"
#include "preload/exec_notice.h"
#include "preload/filters.h"
#include "preload/first_ring.h"
#include "preload/interrupted.h"
#include "preload/thread_role.h"
#include "preload/user_dispatch.h"
#include "preload/wake.h"

/* Bytes of stack: for handlers of other libraries that call ours. */
#define HANDLERS_BETWEEN (16ul << 10)

/* May this thread of the host make system calls? A seccomp filter may end the process for one, as does user
 * dispatch. The command has counted the thread's filters; without it only those that the host has not hidden are
 * known. */
static bool may_call(const siginfo_t *info)
{
    uint32_t flags = doorbell_flags(info);

    if (user_dispatch_blocks())
        return false;
    if (flags & DOORBELL_MAY_CALL)
        return filters_allow((int)(flags >> DOORBELL_FILTERS_SHIFT & DOORBELL_FILTERS_MAX));
    return !filters_refuse();
}

/* Is it what the kernel put on this stack? ThreadSanitizer keeps a signal back and calls the handler later, with a
 * copy: the interrupted call has gone on by then, and what is written to the copy has no effect. */
static bool is_of_now(const void *context, const void *frame)
{
    uintptr_t above = (uintptr_t)context - (uintptr_t)frame;

    return above < HANDLERS_BETWEEN;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    bool now = is_of_now(context, __builtin_frame_address(0)), tried = false;
    enum thread_role self = thread_role();

    exec_notice_rung(doorbell_flags(info));
    doorbell_note_ring(); /* before the look for a listener: one that starts now looks whether it rang */
    if (self == THREAD_LISTENER || (self == THREAD_HOST && !may_call(info)))
        return;
    if (thread_role_listener() != 0)
        wake_listener();
    else if (now)
        tried = first_ring_try(context);
    if (!now)
        return;
    interrupted_go_on(context, signal);
    if (!tried)
        first_ring_go_on(context, signal);
}

void doorbell_handler_start(int signal)
{
    if (doorbell_start(signal, handler))
        exec_notice_inherit();
}
