/*
 * test_site_order.c - each store into a function's entry, one after the other: what luck does not
 * find (test_site_torture.c).
 *
 * Two questions are asked. What may another processor fetch (watch.h)? And what does happen: after each
 * store a thread that was held at a boundary goes on (held.h), and another calls the function.
 *
 * Broken on purpose, each is noticed here: a text_poke_sync() left out, wherever it stands; no int3 on the
 * inner boundaries; the bytes at boundaries not last; threads not asked to leave; a trap added to
 * the table late; a signal frame that leads back overlooked.
 */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/refusal.h"
#include "base/sys.h"
#include "loader/text/site.h"
#include "loader/text/text_poke.h"
#include "tests/support/harness.h"
#include "tests/support/held.h"
#include "tests/support/shapes.h"
#include "tests/support/watch.h"

enum { JUMP_BYTES = 5 };

static void there_and_back(const struct shape *shape)
{
    unsigned in = watch_arm(shape, 0, NULL, NULL), out = watch_disarm(shape, 0, NULL, NULL);

    print_message("%s: %s, %u and %u events\n", shape->name, site_technique(shape_site(shape)), in,
                  out);
}

static void whatever_has_been_seen_of_the_stores_there_is_whole_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < shapes_count; i++)
        there_and_back(&shapes[i]);
}

/* ---- beside a thread that survives no trap ---- */

struct sleeper {
    pthread_t thread;
    pid_t tid;
    sem_t ready, go;
    const struct shape *shape; /* what it calls once it goes on; NULL: nothing */
    _Atomic int stop;
    long result;
};

static void *sleep_mute(void *argument)
{
    struct sleeper *sleeper = argument;
    sys_sigset all = ~UINT64_C(0);

    sys_sigprocmask(SIG_BLOCK, &all, NULL);
    sleeper->tid = sys_gettid();
    sem_post(&sleeper->ready);
    while (sem_wait(&sleeper->go) == 0 && !sleeper->stop) {
        sem_post(&sleeper->ready);
        if (sleeper->shape)
            sleeper->result = shape_call(sleeper->shape, (long)&sleeper->stop);
    }
    return NULL;
}

static void sleeper_start(struct sleeper *sleeper)
{
    sem_init(&sleeper->ready, 0, 0);
    sem_init(&sleeper->go, 0, 0);
    assert_int_equal(pthread_create(&sleeper->thread, NULL, sleep_mute, sleeper), 0);
    sem_wait(&sleeper->ready);
    watch.untrappable = true;
}

static void sleeper_end(struct sleeper *sleeper)
{
    watch.untrappable = false;
    sleeper->stop = 1;
    sem_post(&sleeper->go);
    pthread_join(sleeper->thread, NULL);
}

/* Its clock goes on: it has nothing to do but to wait where it is. */
static void await_running(pthread_t thread)
{
    clockid_t clock;
    struct timespec first, now;

    assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
    clock_gettime(clock, &first);
    do {
        sched_yield();
        clock_gettime(clock, &now);
    } while ((now.tv_sec - first.tv_sec) * 1000000000 + now.tv_nsec - first.tv_nsec < 2000000);
}

static void wake(void *sleeper_)
{
    struct sleeper *sleeper = sleeper_;

    sem_post(&sleeper->go);
    sem_wait(&sleeper->ready);
    if (sleeper->shape)
        await_running(sleeper->thread);
}

static void nor_does_a_thread_that_blocks_sigtrap_meet_a_trap(void **state)
{
    static const char *const names[] = {"one_nop",     "nop_astray", "sub",      "branch",
                                        "line",        "pushes",     "endbr",    "push_mov",
                                        "line_single", "relative",   "five_nops"};
    struct sleeper sleeper = {0};

    (void)state;
    sleeper_start(&sleeper);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        there_and_back(shape_named(names[i]));
    sleeper_end(&sleeper);
}

static int inside_already(const void *shape)
{
    struct sleeper sleeper = {.shape = shape};
    struct site_problem why = {0};

    watch.name = sleeper.shape->name;
    sleeper_start(&sleeper);
    wake(&sleeper);
    if (site_arm(shape_site(shape), clock_ms() + 100, &why) == 0 || why.code != HP_SIGTRAP_BLOCKED)
        return 1;
    sleeper_end(&sleeper);
    return sleeper.result != 1;
}

/* Once the entry is held a thread that comes is led to the moved instructions. */
static int comes_when_it_is_held(const void *shape)
{
    struct sleeper sleeper = {.shape = shape};

    sleeper_start(&sleeper);
    watch.looked = wake;
    watch_arm(shape, 0, NULL, &sleeper);
    sleeper_end(&sleeper);
    return sleeper.result != 1;
}

static void nor_is_it_overlooked_inside(void **state)
{
    (void)state;
    assert_int_equal(in_child(inside_already, &shape_waits), 0);
    assert_int_equal(in_child(inside_already, &shape_waits_spinnable), 0);
    assert_int_equal(in_child(comes_when_it_is_held, &shape_waits_spinnable), 0);
}

/* There and back, and there once more. */
static int wakes_at_the_store(const void *shape)
{
    struct sleeper sleeper = {0};

    shape_take_hold_places(shape);
    sleeper_start(&sleeper);
    watch.looked = wake;
    if (watch_arm(shape, 0, NULL, &sleeper) < 6 ||
        strcmp(site_technique(shape_site(shape)), "proved") != 0)
        return 1;
    shape_disarm(shape);
    sleeper_end(&sleeper);
    return 0;
}

static void what_was_stored_while_it_woke_is_taken_back(void **state)
{
    (void)state;
    assert_int_equal(in_child(wakes_at_the_store, &shape_alone), 0);
}

/* ---- what happens ---- */

struct visitor {
    pthread_t thread;
    sem_t come, gone;
    const struct shape *shape;
    long result;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;

    for (;;) {
        sem_wait(&visitor->come);
        if (!visitor->shape)
            return NULL;
        visitor->result = shape_call(visitor->shape, 300);
        sem_post(&visitor->gone);
    }
}

static struct visitor visitor;

static void visitor_start(void)
{
    sem_init(&visitor.come, 0, 0);
    sem_init(&visitor.gone, 0, 0);
    assert_int_equal(pthread_create(&visitor.thread, NULL, visit, &visitor), 0);
}

static void visitor_end(void)
{
    visitor.shape = NULL;
    sem_post(&visitor.come);
    pthread_join(visitor.thread, NULL);
}

static void call_now(void *shape)
{
    visitor.shape = shape;
    sem_post(&visitor.come);
    sem_wait(&visitor.gone);
    assert_int_equal(visitor.result, 3001);
}

static void a_thread_that_calls_after_any_of_the_stores_is_answered(void **state)
{
    (void)state;
    visitor_start();
    for (size_t i = 0; i < shapes_count; i++) {
        void *shape = (void *)(uintptr_t)&shapes[i];
        unsigned in = 1, out = 1;

        for (unsigned at = 1; at <= in; at++) {
            in = watch_arm(shape, at, call_now, shape);
            watch_disarm(shape, 0, NULL, NULL);
        }
        for (unsigned at = 1; at <= out; at++) {
            watch_arm(shape, 0, NULL, NULL);
            out = watch_disarm(shape, at, call_now, shape);
        }
    }
    visitor_end();
}

static void let_go(void *held)
{
    held_let_go(held);
}

/* The last turns let it go when the entry is armed, and when it is armed and disarmed again. */
static void let_go_at_each_store(const struct shape *shape, unsigned offset)
{
    unsigned in = 1, out = 1;
    struct held held;

    for (unsigned at = 1; at <= in + 1; at++) {
        held_start(&held, shape, offset);
        in = watch_arm(shape, at, let_go, &held);
        assert_int_equal(held_go(&held), 3001);
        watch_disarm(shape, 0, NULL, NULL);
    }
    for (unsigned at = 1; at <= out + 1; at++) {
        held_start(&held, shape, offset);
        watch_arm(shape, 0, NULL, NULL);
        out = watch_disarm(shape, at, let_go, &held);
        assert_int_equal(held_go(&held), 3001);
    }
}

/* Before the first instruction, and behind it. */
static void let_go_beside_a_short_jump(const struct shape *shape)
{
    struct arch_prologue prologue;

    assert_int_equal(arch_prologue_read_short((const uint8_t *)(uintptr_t)shape->call,
                                              shape_size(shape), (uintptr_t)shape->call, &prologue),
                     ARCH_OK);
    let_go_at_each_store(shape, 0);
    if (shape_falls_through(shape))
        let_go_at_each_store(shape, prologue.length);
}

static void let_go_from_each_boundary(const struct shape *shape)
{
    struct arch_prologue prologue;

    if (shape->pad_begin != shape->pad_end) {
        let_go_beside_a_short_jump(shape);
        return;
    }
    assert_int_equal(arch_prologue_read((const uint8_t *)(uintptr_t)shape->call, shape_size(shape),
                                        (uintptr_t)shape->call, &prologue),
                     ARCH_OK);
    for (unsigned i = 0; i < prologue.count && prologue.start[i] < JUMP_BYTES; i++)
        let_go_at_each_store(shape, prologue.start[i]);
}

static void a_thread_held_at_a_boundary_goes_on_after_any_of_the_stores(void **state)
{
    (void)state;
    for (size_t i = 0; i < shapes_count; i++)
        let_go_from_each_boundary(&shapes[i]);
}

/* ---- short jumps as they must not be written ---- */

enum naive { BYTE_BY_BYTE, PAD_LAST, UNSYNCED };

static void write_bytes(const struct text_poke *poke, uintptr_t at, const uint8_t *bytes,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_poke_byte(poke, at + i, bytes[i]);
}

static bool swap_naively(const struct text_patch *patch, bool in, void *how)
{
    const struct arch_prologue *p = patch->prologue;
    struct text_poke poke;
    uint8_t jump[2];

    arch_short_bytes(p, jump);
    if (!in ||
        text_poke_open(&poke, p->jump, p->pad + JUMP_BYTES - p->jump, patch->protection, true))
        return false;
    if (*(enum naive *)how != PAD_LAST)
        write_bytes(&poke, p->pad, patch->jump, JUMP_BYTES);
    if (*(enum naive *)how != UNSYNCED)
        text_poke_sync();
    if (*(enum naive *)how == BYTE_BY_BYTE)
        write_bytes(&poke, p->jump, jump, sizeof(jump));
    else
        text_poke_store2(p->jump, jump);
    if (*(enum naive *)how == PAD_LAST)
        write_bytes(&poke, p->pad, patch->jump, JUMP_BYTES);
    text_poke_sync();
    text_poke_close(&poke);
    return true;
}

static int naively(const void *how)
{
    const struct shape *shape = shape_named("short_five");
    struct arch_prologue prologue;
    struct text_patch patch = {.prologue = &prologue, .protection = PROT_READ | PROT_EXEC};
    enum naive naive = *(const enum naive *)how;

    if (arch_prologue_read_short((const uint8_t *)(uintptr_t)shape->call, shape_size(shape),
                                 (uintptr_t)shape->call, &prologue) != ARCH_OK)
        return 1;
    prologue.pad = (uintptr_t)shape->call + (uintptr_t)shape->pad_begin;
    arch_jump_bytes(&prologue, (uintptr_t)shape_replacement, patch.jump);
    watch.name = "naive";
    watch_short_swap(swap_naively, true, &patch, &naive);
    return 0;
}

static void a_short_jump_written_in_another_order_is_noticed(void **state)
{
    (void)state;
    for (enum naive how = BYTE_BY_BYTE; how <= UNSYNCED; how++) {
        int status = in_child(naively, &how);

        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

/* ---- where an int3 has no place at the jump's end, and where no trap has one ---- */

static int held_over_another_trap(const void *unused)
{
    (void)unused;
    shape_take_places(&shape_alone, 1);
    watch.name = "alone";
    if (shape_there_and_back(&shape_alone) != NULL)
        return 1;
    let_go_from_each_boundary(&shape_alone);
    return strcmp(site_technique(shape_site(&shape_alone)), "punned") != 0;
}

static void an_opcode_that_is_none_traps_as_well(void **state)
{
    (void)state;
    assert_int_equal(in_child(held_over_another_trap, NULL), 0);
}

struct waiting {
    pthread_t thread;
    const struct shape *shape;
    _Atomic int stop;
    long result;
};

static void *wait_inside(void *argument)
{
    struct waiting *waiting = argument;

    waiting->result = shape_call(waiting->shape, (long)&waiting->stop);
    return NULL;
}

static void enter(void *waiting_)
{
    struct waiting *waiting = waiting_;

    assert_int_equal(pthread_create(&waiting->thread, NULL, wait_inside, waiting), 0);
    await_running(waiting->thread);
}

static int leaves_once_armed(struct waiting waiting, bool late)
{
    if (late)
        watch.listed = enter;
    else
        enter(&waiting);
    watch_arm(waiting.shape, 0, NULL, &waiting);
    await_running(waiting.thread);
    watch_disarm(waiting.shape, 0, NULL, NULL);
    waiting.stop = 1;
    pthread_join(waiting.thread, NULL);
    return waiting.result == 1 ? 0 : 2;
}

static int leaves(const void *shape)
{
    return leaves_once_armed((struct waiting){.shape = shape}, false);
}

/* First one that is there, then one that is made and comes in once everybody has been listed. */
static int leaves_without_trap(const void *shape)
{
    const struct waiting waiting = {.shape = shape};

    shape_take_places(shape, UINT_MAX);
    return leaves_once_armed(waiting, false) != 0 || leaves_once_armed(waiting, true) != 0 ||
           strcmp(site_technique(shape_site(shape)), "evacuated") != 0;
}

static int leaves_by_int3(const void *shape)
{
    shape_take_hold_places(shape);
    return leaves_without_trap(shape);
}

static void a_thread_that_runs_between_the_old_instructions_goes_on_in_the_moved_ones(void **state)
{
    (void)state;
    assert_int_equal(in_child(leaves, &shape_waits), 0);
    assert_int_equal(in_child(leaves_without_trap, &shape_waits), 0);
    assert_int_equal(in_child(leaves_by_int3, &shape_waits), 0);
}

static int limit_pending_signals(rlim_t to, struct rlimit *before)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_SIGPENDING, before) != 0)
        return -1;
    limit = *before;
    limit.rlim_cur = to;
    return setrlimit(RLIMIT_SIGPENDING, &limit);
}

/* The kernel then delivers SIGILL without the value that it was sent with. */
static int lives_where_no_signal_can_be_queued(const void *shape)
{
    struct waiting waiting = {.shape = shape};
    struct site_problem why = {0};
    struct rlimit before;

    signal(SIGILL, SIG_DFL); /* cmocka's */
    shape_take_places(shape, UINT_MAX);
    enter(&waiting);
    /* Until the second is over; on a busy machine the first look at the thread may take a tenth of it. */
    if (limit_pending_signals(0, &before) != 0 ||
        site_arm(shape_site(shape), clock_ms() + 1000, &why) == 0 || why.code != HP_TIMEOUT ||
        !strstr(why.text, "RLIMIT_SIGPENDING"))
        return 1;
    setrlimit(RLIMIT_SIGPENDING, &before);
    shape_arm(shape);
    await_running(waiting.thread);
    waiting.stop = 1;
    pthread_join(waiting.thread, NULL);
    return waiting.result == 1 ? 0 : 2;
}

static void nor_does_it_end_where_the_limit_of_pending_signals_is_reached(void **state)
{
    (void)state;
    assert_int_equal(in_child(lives_where_no_signal_can_be_queued, &shape_waits), 0);
}

/* Refused while it is there; then not. */
static int waits_for(struct held *held)
{
    struct site_problem why = {0};
    struct site *site = shape_site(held->shape);

    if (site_arm(site, clock_ms() + 100, &why) == 0 || why.code != HP_TIMEOUT ||
        memcmp((const void *)shape_jump(held->shape), "\xcc", 1) == 0)
        return 1;
    if (held_go(held) != 3001)
        return 2;
    return shape_there_and_back(held->shape) ? 3 : 0;
}

static int held_in_handler(const void *offset)
{
    struct held held;

    held_start(&held, &shape_alone, *(const unsigned *)offset);
    return waits_for(&held);
}

/* The other thread must be waited for while the entry spins. */
static int held_beside_a_sleeper(const void *shape)
{
    struct sleeper sleeper = {0};
    struct held held;
    int result;

    shape_take_places(shape, UINT_MAX);
    sleeper_start(&sleeper);
    held_start(&held, shape, 4);
    result = waits_for(&held);
    sleeper_end(&sleeper);
    return result;
}

static void nor_beside_a_thread_that_blocks_sigtrap(void **state)
{
    (void)state;
    watch.name = "sub";
    assert_int_equal(in_child(held_beside_a_sleeper, shape_named("sub")), 0);
}

static void nobody_who_would_come_back_from_a_signal_handler_is_overlooked(void **state)
{
    (void)state;
    shape_take_places(&shape_alone, UINT_MAX);
    there_and_back(&shape_alone);
    assert_string_equal(site_technique(shape_site(&shape_alone)), "evacuated");
    for (unsigned offset = 1; offset < JUMP_BYTES; offset++)
        assert_int_equal(in_child(held_in_handler, &offset), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: what other sites leave of their pages would be a place for their stubs. */
        cmocka_unit_test(an_opcode_that_is_none_traps_as_well),
        cmocka_unit_test(what_was_stored_while_it_woke_is_taken_back),
        cmocka_unit_test(a_thread_that_runs_between_the_old_instructions_goes_on_in_the_moved_ones),
        cmocka_unit_test(nor_does_it_end_where_the_limit_of_pending_signals_is_reached),
        cmocka_unit_test(nor_beside_a_thread_that_blocks_sigtrap),
        cmocka_unit_test(nobody_who_would_come_back_from_a_signal_handler_is_overlooked),
        cmocka_unit_test(whatever_has_been_seen_of_the_stores_there_is_whole_code),
        cmocka_unit_test(a_short_jump_written_in_another_order_is_noticed),
        cmocka_unit_test(nor_does_a_thread_that_blocks_sigtrap_meet_a_trap),
        cmocka_unit_test(nor_is_it_overlooked_inside),
        cmocka_unit_test(a_thread_that_calls_after_any_of_the_stores_is_answered),
        cmocka_unit_test(a_thread_held_at_a_boundary_goes_on_after_any_of_the_stores),
    };

    held_take_steps();
    alarm(120); /* a thread that never comes back */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
