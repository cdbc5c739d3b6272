/*
 * doorbell_handler.c - see doorbell_handler.h.
 *
 * The handler runs on any thread of the host, at any moment: no lock, no allocation, no libc, and errno unchanged
 * (sys.h). The exception is first_ring.c, at a moment that has been found safe for libc. On a host thread the handler
 * wakes the listener, or makes it, and continues the interrupted call. The listener unblocks the signal only in
 * ppoll(2), which the handler ends by returning.
 *
 * The handler is set without SA_ONSTACK. An alternate stack may be smaller than the kernel's own frame: 2,048 bytes,
 * which sigaltstack(2) accepts, against 3.6 kB with AVX-512. The host would end before the handler runs. An alternate
 * stack of 8 kB has space for the frame but not for a second frame of a handler of the host, while a call waits in
 * interrupted.c. A thread's ordinary stack has space for each handler without SA_ONSTACK. Code that runs on stacks of
 * a few kB (OCaml 5, gccgo) must be run with HOTPATCH_SIGNAL=none. Go and the Erlang runtime put all handlers on
 * their alternate stacks themselves.
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

/* Bytes of stack for handlers of other libraries that call the shim's handler. */
#define HANDLERS_BETWEEN (16ul << 10)

/* Return whether this thread of the host may make system calls. A seccomp filter or user dispatch may end the process
 * for a call. The command has counted the thread's filters. Without that count only filters are known that the host
 * has set by functions of libc. */
static bool may_call(const siginfo_t *info)
{
    uint32_t flags = doorbell_flags(info);

    if (user_dispatch_blocks())
        return false;
    if (flags & DOORBELL_MAY_CALL)
        return filters_allow((int)(flags >> DOORBELL_FILTERS_SHIFT & DOORBELL_FILTERS_MAX));
    return !filters_refuse();
}

/* Return whether the kernel put `context` on this stack. ThreadSanitizer delays a signal and calls the handler later
 * with a copy. The interrupted call has continued by then, and changes of the copy have no effect. */
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
    doorbell_note_ring(); /* before the check for a listener: a listener that starts now reads this record */
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
