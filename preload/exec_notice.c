/* exec_notice.c - see preload/exec_notice.h and base/exec_notice.h. */
#include "preload/exec_notice.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/doorbell_value.h"
#include "base/exec_notice.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/doorbell.h"

/* Read by this name in arch/x86_64/vfork.c too. */
extern struct exec_notice exec_notice __attribute__((visibility("hidden")));

struct exec_notice exec_notice STATE __attribute__((aligned(16))) = {.magic = EXEC_NOTICE_MAGIC};

/* The previous program of this process had been announced a ring, which may come now. */
static struct {
    _Atomic uint64_t until; /* ms; 0: no ring was announced */
    pid_t pid;              /* process that began with the announcement; a child has another pid */
} inherited STATE;

static bool is_about_to_be_rung(void)
{
    uint64_t until = atomic_load_explicit(&inherited.until, memory_order_relaxed);

    if (__atomic_load_n(&exec_notice.ringing, __ATOMIC_SEQ_CST) != 0 &&
        __atomic_load_n(&exec_notice.pid, __ATOMIC_RELAXED) == (uint32_t)sys_getpid())
        return true;
    return until != 0 && clock_ms() < until && inherited.pid == sys_getpid();
}

void exec_notice_inherit(void)
{
    inherited.pid = sys_getpid();
    atomic_store_explicit(&inherited.until, clock_ms() + EXEC_NOTICE_MS, memory_order_relaxed);
}

void exec_begin(struct exec_guard *guard)
{
    __atomic_fetch_add(&exec_notice.executing, 1, __ATOMIC_SEQ_CST);
    guard->ignored = is_about_to_be_rung() && doorbell_ignore(&guard->old);
}

void exec_failed(const struct exec_guard *guard)
{
    if (guard->ignored)
        sys_sigaction(doorbell_number(), &guard->old, NULL);
    __atomic_fetch_sub(&exec_notice.executing, 1, __ATOMIC_SEQ_CST);
}

uint32_t exec_notice_executing(void)
{
    return __atomic_load_n(&exec_notice.executing, __ATOMIC_RELAXED);
}

void exec_notice_put_back(uint32_t executing)
{
    __atomic_store_n(&exec_notice.executing, executing, __ATOMIC_RELAXED);
}

void exec_notice_rung(uint32_t flags)
{
    uint8_t ringing = (uint8_t)(flags >> DOORBELL_RINGING_SHIFT);

    if (ringing)
        __atomic_compare_exchange_n(&exec_notice.ringing, &ringing, 0, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED);
}

FORK_PATH_FIRST void exec_notice_reset(void)
{
    uint8_t ringing = __atomic_load_n(&exec_notice.ringing, __ATOMIC_SEQ_CST);

    /* A write would cost the child a copy of the page. */
    if (__atomic_load_n(&exec_notice.executing, __ATOMIC_RELAXED) != 0)
        __atomic_store_n(&exec_notice.executing, 0, __ATOMIC_RELAXED);
    if (atomic_load_explicit(&inherited.until, memory_order_relaxed) != 0)
        atomic_store_explicit(&inherited.until, 0, memory_order_relaxed);
    /* A command may have announced a ring to the child already. That announcement stays: its number differs from the
     * copied one. */
    if (ringing != 0 &&
        __atomic_load_n(&exec_notice.pid, __ATOMIC_RELAXED) != (uint32_t)sys_getpid())
        __atomic_compare_exchange_n(&exec_notice.ringing, &ringing, 0, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED);
}
