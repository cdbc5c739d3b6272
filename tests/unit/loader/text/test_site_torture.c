/*
 * test_site_torture.c - entries armed, switched and disarmed 10,000 times for each kind of prologue
 * while four threads go through them. A thread that sees anything but the old or the new answer
 * counts a wrong result; one that meets half a jump mostly dies. The plain copy of the jump, kept
 * here alone, must fail the same torture. What luck does not find: test_site_order.c.
 *
 * Linked twice: as PIE, and at 0x400000, where there is no room far below for a punned jump.
 */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "loader/text/site.h"
#include "tests/support/harness.h"
#include "tests/support/shapes.h"

enum {
    THREADS = 4,
    CYCLES = 10000,
    SHORT_CYCLES = 40000,   /* for each of thirteen kinds */
    SLOW_CYCLES = 1000,     /* where every thread has to answer a signal in each cycle */
    SANITIZED_CYCLES = 100, /* the sanitizers' own work in each call, and in each signal */
    MOST_MS = 20000         /* a machine that is too slow says so, and goes on */
};

struct torture {
    const struct shape *shape;
    _Atomic bool stop;
    _Atomic long wrong, calls;
    _Atomic int ready;
};

static bool is_right(long argument, long result)
{
    return result == argument * 10 + 1 || result == argument * 100;
}

/* Nicer than who arms: what is tortured is its work, not its patience. */
static void *caller(void *argument)
{
    struct torture *torture = argument;
    long calls = 0;

    setpriority(PRIO_PROCESS, (id_t)sys_gettid(), 10);
    torture->ready++;
    for (long i = 1; !atomic_load_explicit(&torture->stop, memory_order_relaxed); i++) {
        if (!is_right(i, shape_call(torture->shape, i)))
            atomic_fetch_add(&torture->wrong, 1);
        calls++;
    }
    atomic_fetch_add(&torture->calls, calls);
    return NULL;
}

static void start_callers(struct torture *torture, pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, caller, torture), 0);
    while (torture->ready < THREADS)
        sched_yield();
}

static void stop_callers(struct torture *torture, pthread_t threads[THREADS])
{
    torture->stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static int arm_cycles(const struct shape *shape, int cycles, uint64_t until)
{
    struct site *site = shape_site(shape);
    int done = 0;

    for (; done < cycles && clock_ms() < until; done++) {
        shape_arm(shape);
        site_switch(site, (uintptr_t)shape_replacement, done & 1);
        site_take_hit(site);
        site_switch(site, site_original(site), false);
        shape_disarm(shape);
    }
    return done;
}

static void switch_cycles(const struct shape *shape, int cycles)
{
    struct site *site = shape_site(shape);

    shape_arm(shape);
    for (int i = 0; i < cycles; i++)
        site_switch(site, i & 1 ? site_original(site) : (uintptr_t)shape_replacement, i & 2);
    site_switch(site, site_original(site), false);
    shape_disarm(shape);
}

static void torture_shape(const struct shape *shape, int cycles)
{
    struct torture torture = {.shape = shape};
    pthread_t threads[THREADS];
    uint64_t start = clock_ms();
    int done;

    start_callers(&torture, threads);
    done = arm_cycles(shape, cycles, start + MOST_MS);
    switch_cycles(shape, CYCLES);
    stop_callers(&torture, threads);
    print_message("%s: %s, %d of %d cycles in %d ms, %ld calls, %ld wrong\n", shape->name,
                  site_technique(shape_site(shape)), done, cycles, (int)(clock_ms() - start),
                  torture.calls, torture.wrong);
    assert_true(torture.calls > 0);
    assert_int_equal(torture.wrong, 0);
}

static void no_thread_sees_anything_but_old_or_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < shapes_short; i++)
        torture_shape(&shapes[i], sanitized() ? SANITIZED_CYCLES : CYCLES);
}

/* More than a million in all: two for each cycle. */
static void nor_in_a_million_switches_by_short_jumps(void **state)
{
    (void)state;
    for (size_t i = shapes_short; i < shapes_count; i++)
        torture_shape(&shapes[i], sanitized() ? SANITIZED_CYCLES : SHORT_CYCLES);
}

static void nor_where_threads_must_be_asked_to_leave(void **state)
{
    (void)state;
    print_message("fewer cycles: each thread answers a signal in each\n");
    torture_shape(&shape_alone, sanitized() ? SANITIZED_CYCLES : SLOW_CYCLES);
    assert_string_equal(site_technique(shape_site(&shape_alone)), "evacuated");
}

/* ---- questions that come quicker than threads go on ---- */

static size_t frame_bytes(void)
{
    size_t least = getauxval(AT_MINSIGSTKSZ);

    return least ? least : MINSIGSTKSZ;
}

/* Room for what a trap and one question put there; whoever asks is always preferred, so that the thread
 * stands in its handler when the next question comes. */
static void *slow_to_go_on(void *argument)
{
    stack_t stack = {.ss_size = (2 * frame_bytes() + 8191) & ~4095ul};
    const struct sched_param none = {0};

    stack.ss_sp =
        mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0 ||
        pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) != 0)
        abort();
    return caller(argument);
}

static int ask_who_is_slow(const void *argument)
{
    struct torture torture = {.shape = argument};
    cpu_set_t one;
    pthread_t thread;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof(one), &one) != 0 ||
        pthread_create(&thread, NULL, slow_to_go_on, &torture) != 0)
        return 1;
    while (torture.ready == 0)
        sched_yield();
    arm_cycles(torture.shape, SANITIZED_CYCLES, clock_ms() + MOST_MS);
    torture.stop = true;
    pthread_join(thread, NULL);
    return torture.wrong != 0;
}

static void questions_do_not_pile_up_on_an_alternate_stack(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_who_is_slow, &shape_alone), 0);
}

/* ---- what must not be done ---- */

static void naive(const struct shape *shape, const uint8_t *bytes)
{
    memcpy((void *)(uintptr_t)shape->call, bytes, 5);
}

static int naive_body(const void *argument)
{
    struct torture torture = {.shape = argument};
    pthread_t threads[THREADS];
    uintptr_t entry = (uintptr_t)torture.shape->call;
    uint8_t old[5], jump[5] = {0xe9};
    int32_t distance = (int32_t)(site_original(shape_site(torture.shape)) - (entry + 5));
    uint64_t until = clock_ms() + 20000;

    signal(SIGSEGV, SIG_DFL);
    signal(SIGILL, SIG_DFL);
    memcpy(old, (const void *)entry, 5);
    memcpy(jump + 1, &distance, 4);
    if (mprotect((void *)(entry & ~4095ul), 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        return 0;
    start_callers(&torture, threads);
    while (clock_ms() < until && torture.wrong == 0) {
        naive(torture.shape, jump);
        naive(torture.shape, old);
    }
    stop_callers(&torture, threads);
    return torture.wrong != 0;
}

static void a_plain_copy_of_the_jump_fails_the_same_torture(void **state)
{
    static const char *const names[] = {"pushes", "single_pushes", "five_nops"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_not_equal(in_child(naive_body, shape_named(names[i])), 0);
}

/* ---- threads and processes that come and go ---- */

static void *brief_caller(void *argument)
{
    struct torture *torture = argument;

    for (long i = 1; i < 1000; i++)
        if (!is_right(i, shape_call(torture->shape, i)))
            torture->wrong++;
    torture->calls += 999;
    return NULL;
}

/* pthread_create(3) blocks every signal in the new thread and in its maker, for a moment. */
static void *maker_of_threads(void *argument)
{
    struct torture *torture = argument;
    sys_sigset all = ~UINT64_C(0), old;
    pthread_t thread;

    setpriority(PRIO_PROCESS, (id_t)sys_gettid(), 10);
    torture->ready++;
    while (!torture->stop) {
        if (pthread_create(&thread, NULL, brief_caller, torture) != 0)
            continue;
        sys_sigprocmask(SIG_BLOCK, &all, &old);
        sys_sigprocmask(SIG_SETMASK, &old, NULL);
        brief_caller(torture);
        pthread_join(thread, NULL);
    }
    return NULL;
}

static void torture_beside(const struct shape *shape, void *(*other)(void *), int cycles)
{
    struct torture torture = {.shape = shape};
    uint64_t until = clock_ms() + MOST_MS / 2;
    pthread_t threads[2];
    int done;

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, other, &torture), 0);
    while (torture.ready < 2)
        sched_yield();
    done = arm_cycles(shape, sanitized() ? SANITIZED_CYCLES : cycles, until);
    torture.stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    print_message("%s: %s, %d cycles, %ld calls, %ld wrong\n", shape->name,
                  site_technique(shape_site(shape)), done, torture.calls, torture.wrong);
    assert_true(torture.calls > 0);
    assert_int_equal(torture.wrong, 0);
}

static void while_threads_are_made_and_end_nothing_goes_wrong(void **state)
{
    (void)state;
    torture_beside(shape_named("pushes"), maker_of_threads, SLOW_CYCLES);
    torture_beside(shape_named("word"), maker_of_threads, SLOW_CYCLES);
    torture_beside(shape_named("page"), maker_of_threads, SLOW_CYCLES);
    torture_beside(&shape_alone, maker_of_threads, SLOW_CYCLES);
}

/* The child has the code as it was in that moment, and nobody to finish what was under way. */
static void *maker_of_children(void *argument)
{
    struct torture *torture = argument;

    torture->ready++;
    while (!torture->stop) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            alarm(20);
            for (long i = 1; i < 100; i++)
                if (!is_right(i, shape_call(torture->shape, i)))
                    _exit(1);
            _exit(0);
        }
        if (child > 0)
            waitpid(child, &status, 0);
        torture->wrong += status != 0;
        torture->calls++;
    }
    return NULL;
}

static void a_child_made_meanwhile_has_the_old_or_the_new(void **state)
{
    (void)state;
    torture_beside(shape_named("pushes"), maker_of_children, SLOW_CYCLES);
    torture_beside(shape_named("word"), maker_of_children, SLOW_CYCLES);
    torture_beside(shape_named("line_single"), maker_of_children, SLOW_CYCLES);
    torture_beside(&shape_alone, maker_of_children, SLOW_CYCLES);
}

/* Of shape_alone no stub has a place. */
static int take_places(void **state)
{
    (void)state;
    shape_take_places(&shape_alone, UINT_MAX);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_copy_of_the_jump_fails_the_same_torture),
        cmocka_unit_test(no_thread_sees_anything_but_old_or_new),
        cmocka_unit_test(nor_in_a_million_switches_by_short_jumps),
        cmocka_unit_test(nor_where_threads_must_be_asked_to_leave),
        cmocka_unit_test(questions_do_not_pile_up_on_an_alternate_stack),
        cmocka_unit_test(while_threads_are_made_and_end_nothing_goes_wrong),
        cmocka_unit_test(a_child_made_meanwhile_has_the_old_or_the_new),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, take_places, NULL);
}
