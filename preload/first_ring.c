/* first_ring.c - see first_ring.h. */
#include "first_ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "borrowed_memory.h"
#include "own_stack.h"
#include "safe_moment.h"
#include "settings.h"
#include "state.h"
#include "step.h"
#include "threads.h"

static _Atomic bool making STATE;
static _Atomic bool tried STATE; /* the last ring found a safe moment */

/* A child that was made past fork(3) has its parent's state, and no thread of it. One that shares its
 * parent's memory gets none: the ring is noted and no more. */
static bool are_wanted(void)
{
    return (threads_gave_way() || settings.listen == LISTEN_FIRST_RING) &&
           threads_listener() == 0 && !threads_made() && !threads_have_stand_in() &&
           !memory_is_borrowed();
}

static void make_if_safe(void *context)
{
    uint64_t until;

    if (!safe_moment(context, &until))
        return;
    atomic_store(&tried, true);
    threads_begin();
}

void first_ring_try(void *context)
{
    atomic_store(&tried, false);
    if (!are_wanted() || atomic_exchange(&making, true))
        return;
    own_stack_call(make_if_safe, context);
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
    /* Where no thread can be made another moment is no better, and each attempt takes its time. */
    if (!atomic_load(&tried) && are_wanted())
        step_begin(context, doorbell, make_after_steps);
}
