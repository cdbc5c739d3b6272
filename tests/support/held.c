/* held.c - see held.h. */
#include "tests/support/held.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <ucontext.h>

#include "base/sys.h"
#include "base/sys_wait.h"
#include "tests/support/harness.h"

enum { TRAP_FLAG = 0x100 };

static _Thread_local struct held *here;

static void on_step(int signal_, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal_;
    if (info->si_code != TRAP_TRACE || (uintptr_t)registers[REG_RIP] != here->at)
        return;
    registers[REG_EFL] &= ~TRAP_FLAG;
    atomic_store(&here->there, 1);
    sys_futex_wake(&here->there, 1);
    while (!atomic_load(&here->go))
        sys_futex_wait(&here->go, 0, NULL);
}

static void *run(void *argument)
{
    shape_function *function;

    here = argument;
    function = here->shape->call;
    __asm__ volatile(
        "lea -128(%%rsp), %%rsp\n pushf\n orl %0, (%%rsp)\n popf\n lea 128(%%rsp), %%rsp"
        :
        : "i"(TRAP_FLAG)
        : "cc", "memory");
    here->result = function(here->argument);
    atomic_store(&here->ended, 1);
    return NULL;
}

void held_take_steps(void)
{
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGTRAP, &step, NULL);
}

void held_start(struct held *held, const struct shape *shape, unsigned offset)
{
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    const struct timespec until = {deadline / 1000, 0}; /* of CLOCK_MONOTONIC */

    *held = (struct held){.shape = shape, .at = shape_jump(shape) + offset, .argument = 300};
    assert_int_equal(pthread_create(&held->thread, NULL, run, held), 0);
    while (!atomic_load(&held->there)) {
        if (ms_until(deadline) < 1000)
            fail_msg("the thread does not come to 0x%lx", (unsigned long)held->at);
        sys_futex_wait(&held->there, 0, &until);
    }
}

long held_go(struct held *held)
{
    atomic_store(&held->go, 1);
    sys_futex_wake(&held->go, 1);
    pthread_join(held->thread, NULL);
    return held->result;
}

void held_let_go(struct held *held)
{
    clockid_t clock;
    struct timespec first, now;

    assert_int_equal(pthread_getcpuclockid(held->thread, &clock), 0);
    clock_gettime(clock, &first);
    atomic_store(&held->go, 1);
    sys_futex_wake(&held->go, 1);
    do
        sched_yield();
    while (!atomic_load(&held->ended) && clock_gettime(clock, &now) == 0 &&
           (now.tv_sec - first.tv_sec) * 1000000000 + now.tv_nsec - first.tv_nsec < 2000000);
}
