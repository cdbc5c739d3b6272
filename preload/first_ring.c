/* first_ring.c - see first_ring.h. */
#include "preload/first_ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/borrowed_memory.h"
#include "preload/own_stack.h"
#include "preload/safe_moment.h"
#include "preload/settings.h"
#include "preload/step.h"
#include "preload/thread_role.h"
#include "preload/threads.h"

/* The process that has a thread in first_ring_try(); 0: none. In a child that another thread forks meanwhile this is
 * the parent. */
static _Atomic pid_t making STATE;

struct attempt {
    void *context;
    bool safe; /* the moment is safe */
};

/* Return whether threads are to be made. A child that was made without fork(3) has its parent's state, but not its
 * threads. For a child that shares its parent's memory no threads are made; only the ring is recorded. */
static bool are_wanted(void)
{
    return (threads_gave_way() || settings.listen == LISTEN_FIRST_RING) &&
           thread_role_listener() == 0 && !threads_made() && !thread_role_has_stand_in() &&
           !memory_is_borrowed();
}

static void make_if_safe(void *attempt_)
{
    struct attempt *attempt = attempt_;
    uint64_t until;

    attempt->safe = safe_moment(attempt->context, &until);
    if (attempt->safe)
        threads_start(false);
}

/* Return whether the calling thread may make the threads: one thread at a time. */
static bool take_turn(void)
{
    pid_t self = sys_getpid(), other = atomic_load(&making);

    return other != self && atomic_compare_exchange_strong(&making, &other, self);
}

bool first_ring_try(void *context)
{
    struct attempt attempt = {.context = context};

    if (!are_wanted() || !take_turn())
        return false;
    own_stack_call(make_if_safe, &attempt);
    atomic_store(&making, 0);
    return attempt.safe;
}

/* Make the threads after steps. No other code has made them meanwhile: that takes a system call, and stepping ends
 * before a system call. */
static void make_after_steps(void)
{
    if (are_wanted())
        threads_start(false);
}

void first_ring_go_on(void *context, int doorbell)
{
    if (are_wanted())
        step_begin(context, doorbell, make_after_steps);
}
