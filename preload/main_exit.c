/* main_exit.c - see main_exit.h. */
#include "preload/main_exit.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/proc_text.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define LOOK_MS 1000 /* between checks; before Linux 5.16, which can wait for two words */

enum { FLAG_32 = 2, FLAG_PRIVATE = 128 }; /* linux/futex.h */

struct waiter { /* struct futex_waitv */
    uint64_t value, address;
    uint32_t flags, reserved;
};

static struct {
    _Atomic(const _Atomic uint32_t *) word; /* the main thread's; NULL: none, or it has ended */
    uint32_t tid;
    _Atomic uint32_t own_word;
    _Atomic bool ended;
} watched STATE;

void main_exit_watch(void)
{
    const _Atomic uint32_t *word = NULL;

    watched.tid = (uint32_t)sys_gettid();
    if (watched.tid != (uint32_t)sys_getpid())
        return;
    if (sys_prctl(PR_GET_TID_ADDRESS, (unsigned long)&word, 0, 0) != 0)
        return;
    if (!word) { /* a child that was made without libc */
        atomic_store(&watched.own_word, watched.tid);
        word = &watched.own_word;
        sys_call3(SYS_set_tid_address, (long)word, 0, 0);
    }
    atomic_store(&watched.word, word);
}

static bool has_ended(const _Atomic uint32_t *word)
{
    if (!word || atomic_load(word) == watched.tid)
        return false;
    atomic_store(&watched.word, NULL);
    atomic_store_explicit(&watched.ended, true, memory_order_release);
    /* The kernel wakes one waiter. A thread of the host that joins the main thread waits for the same word. */
    sys_call3(SYS_futex, (long)word, FUTEX_WAKE, INT_MAX);
    return true;
}

bool main_exit_wait(const _Atomic uint32_t *own, uint32_t expected)
{
    const _Atomic uint32_t *word = atomic_load(&watched.word);
    struct waiter waiters[2] = {
        {expected, (uintptr_t)own, FLAG_32 | FLAG_PRIVATE, 0},
        {watched.tid, (uintptr_t)word, FLAG_32, 0},
    };
    struct timespec soon;
    long result;

    if (!word) {
        sys_futex_wait(own, expected, NULL);
        return false;
    }
    result = sys_call(SYS_futex_waitv, (long)waiters, 2, 0, 0, 0, 0);
    if (result == -ENOSYS || result == -EPERM || result == -EINVAL) {
        soon = clock_spec(clock_ms() + LOOK_MS);
        sys_futex_wait(own, expected, &soon);
    }
    return has_ended(word);
}

bool main_exit_seen(void)
{
    return atomic_load_explicit(&watched.ended, memory_order_acquire);
}

void main_exit_reset(void)
{
    atomic_store_explicit(&watched.ended, false, memory_order_relaxed);
}

int main_exit_status(int proc)
{
    char path[64], text[1024];

    snprintf(path, sizeof(path), "%d/stat", (int)watched.tid);
    sys_read_file(proc, path, text, sizeof(text));
    return (int)proc_number(proc_stat_field(text, PROC_STAT_EXIT_CODE), 10);
}
