/* first_ring.c - see first_ring.h. */
#include "first_ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "calls_allowed.h"
#include "safe_moment.h"
#include "settings.h"
#include "state.h"
#include "step.h"
#include "threads.h"

static _Atomic bool making STATE;

/* A child that was made past fork(3) has its parent's state, and no thread of it. */
static bool are_wanted(void)
{
    return calls_allowed() && settings.listen == LISTEN_FIRST_RING && threads_listener() == 0 &&
           !threads_made() && !threads_have_stand_in();
}

void first_ring_try(const void *context)
{
    uint64_t until;

    if (!are_wanted() || atomic_exchange(&making, true))
        return;
    if (safe_moment(context, &until))
        threads_begin();
    atomic_store(&making, false);
}

/* Nothing else makes them meanwhile: that takes a system call, before which stepping ends. */
static void make_after_steps(void)
{
    if (are_wanted())
        threads_begin();
}

void first_ring_go_on(void *context, int doorbell)
{
    if (are_wanted())
        step_begin(context, doorbell, make_after_steps);
}
