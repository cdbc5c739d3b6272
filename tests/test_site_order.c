/*
 * test_site_order.c - each store into a function's entry, one after the other: what luck does not
 * find (test_site_torture.c).
 *
 * The stores are seen by wrapping poke.h's functions (ld(1), --wrap). Two questions are asked of them.
 * What may another processor fetch? Between two serialisations (poke_sync()) any of the stores may
 * have been seen or not, each by itself: whatever has been, at the entry and at every old boundary
 * where a thread may be there must lie a whole old instruction, a trap, or at the entry the whole jump
 * (Intel SDM 3A, 9.1.3). And what does happen? After each store a thread that was held at a boundary
 * goes on, and another calls the function.
 *
 * Broken on purpose, each is noticed here: a poke_sync() left out, wherever it stands; no int3 on the
 * inner boundaries; the bytes at boundaries not last; threads not asked to leave; a trap added to
 * the table late; a signal frame that leads back overlooked.
 */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "crowd.h"
#include "error.h"
#include "harness.h"
#include "held.h"
#include "lock.h"
#include "poke.h"
#include "shapes.h"
#include "site.h"
#include "swap.h"
#include "sys.h"

enum { JUMP_BYTES = 5, INT3 = 0xcc, EVENTS = 64 };

static const uint8_t SPIN[] = {0xeb, 0xfe};

struct event {
    enum {
        STORE,
        SYNC,
        LEFT,
        CLOSED,
        OPENED
    } kind;                /* the endbr64 before the jump holds everybody */
    unsigned first, count; /* of the jump's bytes */
    uint8_t bytes[JUMP_BYTES];
};

static struct {
    const struct arch_swap *swap; /* under way */
    const char *name;
    bool in, mute;
    struct event events[EVENTS];
    unsigned count;
    unsigned at; /* call `act` after so many stores */
    void (*act)(void *);
    void *argument;
} watch;

static void note(struct event event)
{
    if (!watch.swap)
        return;
    assert_true(watch.count < EVENTS);
    watch.events[watch.count++] = event;
    if (watch.act && watch.count == watch.at)
        watch.act(watch.argument);
}

static void note_store(uintptr_t address, const uint8_t *bytes, unsigned count)
{
    uintptr_t jump = watch.swap ? watch.swap->prologue->jump : 0;
    struct event event = {.kind = STORE};

    if (!watch.swap || address + count <= jump || address >= jump + JUMP_BYTES)
        return;
    for (unsigned i = 0; i < count; i++) {
        if (address + i < jump || address + i >= jump + JUMP_BYTES)
            continue;
        if (event.count == 0)
            event.first = (unsigned)(address + i - jump);
        event.bytes[event.count++] = bytes[i];
    }
    note(event);
}

int __real_poke_byte(const struct poke *poke, uintptr_t address, uint8_t byte);
int __wrap_poke_byte(const struct poke *poke, uintptr_t address, uint8_t byte);
void __real_poke_store2(uintptr_t address, const uint8_t bytes[2]);
void __wrap_poke_store2(uintptr_t address, const uint8_t bytes[2]);
void __real_poke_store8(uintptr_t aligned, uint64_t word);
void __wrap_poke_store8(uintptr_t aligned, uint64_t word);
void __real_poke_sync(void);
void __wrap_poke_sync(void);
int __real_crowd_evacuate(struct crowd *crowd, uintptr_t begin, uintptr_t end, uint64_t until,
                          pid_t *who);
int __wrap_crowd_evacuate(struct crowd *crowd, uintptr_t begin, uintptr_t end, uint64_t until,
                          pid_t *who);
const char *__real_arch_swap_in(const struct arch_swap *swap, uint64_t until,
                                struct site_problem *why);
const char *__wrap_arch_swap_in(const struct arch_swap *swap, uint64_t until,
                                struct site_problem *why);
const char *__real_arch_swap_out(const struct arch_swap *swap, uint64_t until,
                                 struct site_problem *why);
const char *__wrap_arch_swap_out(const struct arch_swap *swap, uint64_t until,
                                 struct site_problem *why);

int __wrap_poke_byte(const struct poke *poke, uintptr_t address, uint8_t byte)
{
    int result = __real_poke_byte(poke, address, byte);

    note_store(address, &byte, 1);
    return result;
}

void __wrap_poke_store2(uintptr_t address, const uint8_t bytes[2])
{
    __real_poke_store2(address, bytes);
    if (watch.swap && address != watch.swap->prologue->jump)
        note((struct event){.kind = bytes[0] == SPIN[0] ? CLOSED : OPENED});
    else
        note_store(address, bytes, 2);
}

void __wrap_poke_store8(uintptr_t aligned, uint64_t word)
{
    __real_poke_store8(aligned, word);
    note_store(aligned, (const uint8_t *)&word, 8);
}

void __wrap_poke_sync(void)
{
    __real_poke_sync();
    note((struct event){.kind = SYNC});
}

int __wrap_crowd_evacuate(struct crowd *crowd, uintptr_t begin, uintptr_t end, uint64_t until,
                          pid_t *who)
{
    int result = __real_crowd_evacuate(crowd, begin, end, until, who);

    if (result == 0)
        note((struct event){.kind = LEFT});
    return result;
}

/* ---- what may be fetched ---- */

struct model {
    const struct arch_prologue *prologue;
    uint8_t old[JUMP_BYTES], jump[JUMP_BYTES]; /* `old`: the function's own */
    uint8_t settled[JUMP_BYTES];
    const struct event *pending[8];
    unsigned count;
    bool inside; /* somebody may be at a boundary */
    enum { OPEN, STORED, SYNCED } closed;
};

static void apply(const struct event *event, uint8_t image[JUMP_BYTES])
{
    memcpy(image + event->first, event->bytes, event->count);
}

static void one_image(const struct model *model, unsigned seen, uint8_t image[JUMP_BYTES])
{
    memcpy(image, model->settled, JUMP_BYTES);
    for (unsigned i = 0; i < model->count; i++)
        if (seen >> i & 1)
            apply(model->pending[i], image);
}

static bool is_old_instruction(const struct model *model, unsigned i, const uint8_t *image)
{
    unsigned begin = model->prologue->start[i], end = model->prologue->start[i + 1];

    if (end > JUMP_BYTES)
        end = JUMP_BYTES;
    return memcmp(image + begin, model->old + begin, end - begin) == 0;
}

static bool entry_is_whole(const struct model *model, const uint8_t *image)
{
    if (image[0] == INT3 && model->old[0] != INT3)
        return !watch.mute || model->closed == SYNCED;
    return is_old_instruction(model, 0, image) || memcmp(image, model->jump, JUMP_BYTES) == 0 ||
           memcmp(image, SPIN, 2) == 0;
}

static bool boundary_is_whole(const struct model *model, unsigned i, const uint8_t *image)
{
    unsigned at = model->prologue->start[i];
    /* Of another trap than int3 there is one, at the jump's last byte. */
    bool faults =
        at == JUMP_BYTES - 1 && arch_stub_faults(model->prologue) && image[at] == model->jump[at];

    return is_old_instruction(model, i, image) || image[at] == INT3 || faults;
}

static void fail_image(const struct model *model, unsigned at, const uint8_t *image)
{
    fail_msg("%s, %s, event %u: at %u may be fetched %02x %02x %02x %02x %02x", watch.name,
             watch.in ? "in" : "out", watch.count, model->prologue->start[at], image[0], image[1],
             image[2], image[3], image[4]);
}

static void check_boundaries(const struct model *model, const uint8_t *image)
{
    for (unsigned i = 1; i < model->prologue->count; i++)
        if (model->prologue->start[i] < JUMP_BYTES && !boundary_is_whole(model, i, image))
            fail_image(model, i, image);
}

/* Who has seen one store of the whole word sees it from then on: who came in by the old first
 * instruction meets what is in the same image. */
static bool is_one_word(const struct model *model)
{
    return model->count == 1 && model->pending[0]->count == JUMP_BYTES;
}

static void check_images(struct model *model)
{
    bool inside = model->inside, entered = false;
    uint8_t image[JUMP_BYTES];

    for (unsigned seen = 0; seen < 1u << model->count; seen++) {
        bool enters;

        one_image(model, seen, image);
        if (!entry_is_whole(model, image))
            fail_image(model, 0, image);
        enters = image[0] != INT3 && is_old_instruction(model, 0, image);
        entered = entered || enters;
        if (inside || enters)
            check_boundaries(model, image);
    }
    for (unsigned seen = 0; seen < 1u << model->count && entered && !is_one_word(model); seen++) {
        one_image(model, seen, image);
        check_boundaries(model, image);
    }
    model->inside = inside || entered;
}

static void check_event(struct model *model, const struct event *event)
{
    if (event->kind == LEFT)
        model->inside = false;
    if (event->kind == STORE) {
        assert_true(model->count < 8);
        model->pending[model->count++] = event;
    }
    if (event->kind == CLOSED || event->kind == OPENED)
        model->closed = event->kind == CLOSED ? STORED : OPEN;
    if (event->kind == SYNC) {
        if (model->closed == STORED)
            model->closed = SYNCED;
        for (unsigned i = 0; i < model->count; i++)
            apply(model->pending[i], model->settled);
        model->count = 0;
    }
    check_images(model);
}

/* Who had stopped at a boundary before a punned jump came may be there still when it goes. */
static void check_swap(const struct arch_swap *swap, bool in)
{
    struct model model = {.prologue = swap->prologue, .inside = in || swap->punned};

    memcpy(model.old, swap->prologue->bytes, JUMP_BYTES);
    memcpy(model.jump, swap->jump, JUMP_BYTES);
    memcpy(model.settled, in ? model.old : model.jump, JUMP_BYTES);
    for (unsigned i = 0; i < watch.count; i++)
        check_event(&model, &watch.events[i]);
    assert_int_equal(model.count, 0); /* whoever comes now sees what was put there */
    assert_memory_equal(model.settled, in ? model.jump : model.old, JUMP_BYTES);
}

typedef const char *swap_function(const struct arch_swap *swap, uint64_t until,
                                  struct site_problem *why);

static const char *watched(swap_function *real, bool in, const struct arch_swap *swap,
                           uint64_t until, struct site_problem *why)
{
    const char *how;

    watch.swap = swap;
    watch.in = in;
    watch.count = 0;
    how = real(swap, until, why);
    watch.swap = NULL;
    if (how)
        check_swap(swap, in);
    return how;
}

const char *__wrap_arch_swap_in(const struct arch_swap *swap, uint64_t until,
                                struct site_problem *why)
{
    return watched(__real_arch_swap_in, true, swap, until, why);
}

const char *__wrap_arch_swap_out(const struct arch_swap *swap, uint64_t until,
                                 struct site_problem *why)
{
    return watched(__real_arch_swap_out, false, swap, until, why);
}

static unsigned arm_watched(const struct shape *shape, unsigned at, void (*act)(void *),
                            void *argument)
{
    watch.name = shape->name;
    watch.at = at;
    watch.act = act;
    watch.argument = argument;
    shape_arm(shape);
    watch.act = NULL;
    return watch.count;
}

static unsigned disarm_watched(const struct shape *shape, unsigned at, void (*act)(void *),
                               void *argument)
{
    watch.name = shape->name;
    watch.at = at;
    watch.act = act;
    watch.argument = argument;
    shape_disarm(shape);
    watch.act = NULL;
    return watch.count;
}

static void there_and_back(const struct shape *shape)
{
    unsigned in = arm_watched(shape, 0, NULL, NULL), out = disarm_watched(shape, 0, NULL, NULL);

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
    sem_t ready, stop;
};

static void *sleep_mute(void *argument)
{
    struct sleeper *sleeper = argument;
    sys_sigset all = ~UINT64_C(0);

    sys_sigprocmask(SIG_BLOCK, &all, NULL);
    sem_post(&sleeper->ready);
    sem_wait(&sleeper->stop);
    return NULL;
}

static void sleeper_start(struct sleeper *sleeper)
{
    sem_init(&sleeper->ready, 0, 0);
    sem_init(&sleeper->stop, 0, 0);
    assert_int_equal(pthread_create(&sleeper->thread, NULL, sleep_mute, sleeper), 0);
    sem_wait(&sleeper->ready);
    watch.mute = true;
}

static void sleeper_end(struct sleeper *sleeper)
{
    watch.mute = false;
    sem_post(&sleeper->stop);
    pthread_join(sleeper->thread, NULL);
}

static void nor_does_a_thread_that_blocks_sigtrap_meet_a_trap(void **state)
{
    static const char *const names[] = {"one_nop", "nop_astray",  "sub",   "branch",
                                        "line",    "line_single", "pushes"};
    struct sleeper sleeper;

    (void)state;
    sleeper_start(&sleeper);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        there_and_back(shape_named(names[i]));
    sleeper_end(&sleeper);
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
            in = arm_watched(shape, at, call_now, shape);
            disarm_watched(shape, 0, NULL, NULL);
        }
        for (unsigned at = 1; at <= out; at++) {
            arm_watched(shape, 0, NULL, NULL);
            out = disarm_watched(shape, at, call_now, shape);
        }
    }
    visitor_end();
}

static void let_go(void *held)
{
    assert_int_equal(held_go(held), 3001);
}

/* The last turns let it go when the entry is armed, and when it is armed and disarmed again. */
static void let_go_at_each_store(const struct shape *shape, unsigned offset)
{
    unsigned in = 1, out = 1;
    struct held held;

    for (unsigned at = 1; at <= in + 1; at++) {
        held_start(&held, shape, offset);
        in = arm_watched(shape, at, let_go, &held);
        if (at > in)
            let_go(&held);
        disarm_watched(shape, 0, NULL, NULL);
    }
    for (unsigned at = 1; at <= out + 1; at++) {
        held_start(&held, shape, offset);
        arm_watched(shape, 0, NULL, NULL);
        out = disarm_watched(shape, at, let_go, &held);
        if (at > out)
            let_go(&held);
    }
}

static void let_go_from_each_boundary(const struct shape *shape)
{
    struct arch_prologue prologue;

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

/* ---- where an int3 has no place at the jump's end, and where no trap has one ---- */

static int held_over_another_trap(const void *unused)
{
    (void)unused;
    shape_take_places(&shape_alone, 1);
    watch.name = "alone";
    if (shape_there_and_back(&shape_alone) != NULL)
        return 1;
    let_go_from_each_boundary(&shape_alone);
    return strcmp(site_technique(shape_site(&shape_alone)), "aligned, punned") != 0;
}

static void an_opcode_that_is_none_traps_as_well(void **state)
{
    (void)state;
    assert_int_equal(in_child(held_over_another_trap, NULL), 0);
}

struct waiting {
    pthread_t thread;
    const struct shape *shape;
    _Atomic int stop, running;
    long result;
};

static void *wait_inside(void *argument)
{
    struct waiting *waiting = argument;

    waiting->running = 1;
    waiting->result = shape_call(waiting->shape, (long)&waiting->stop);
    return NULL;
}

/* It is somewhere between: sched_yield() until it has surely come there is no promise, so it is
 * done often. */
static int leaves(const void *argument)
{
    for (int i = 0; i < 100; i++) {
        struct waiting waiting = {.shape = argument};

        if (pthread_create(&waiting.thread, NULL, wait_inside, &waiting) != 0)
            return 1;
        while (!waiting.running)
            sched_yield();
        shape_arm(waiting.shape);
        shape_disarm(waiting.shape);
        waiting.stop = 1;
        pthread_join(waiting.thread, NULL);
        if (waiting.result != 1)
            return 2;
    }
    return 0;
}

static int leaves_without_trap(const void *shape)
{
    shape_take_places(shape, UINT_MAX);
    return leaves(shape) != 0 || strcmp(site_technique(shape_site(shape)), "evacuated") != 0;
}

static void a_thread_that_runs_between_the_old_instructions_goes_on_in_the_moved_ones(void **state)
{
    (void)state;
    watch.name = "waits";
    assert_int_equal(in_child(leaves, &shape_waits), 0);
    assert_int_equal(in_child(leaves_without_trap, &shape_waits), 0);
}

static int held_in_handler(const void *offset)
{
    struct site_problem why = {0};
    struct held held;

    held_start(&held, &shape_alone, *(const unsigned *)offset);
    if (site_arm(shape_site(&shape_alone), clock_ms() + 100, &why) == 0 || why.code != HP_TIMEOUT ||
        held_go(&held) != 3001)
        return 1;
    return shape_there_and_back(&shape_alone) ? 2 : 0;
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
        /* First: what other sites leave of their pages would be a place for its stub. */
        cmocka_unit_test(a_thread_that_runs_between_the_old_instructions_goes_on_in_the_moved_ones),
        cmocka_unit_test(whatever_has_been_seen_of_the_stores_there_is_whole_code),
        cmocka_unit_test(nor_does_a_thread_that_blocks_sigtrap_meet_a_trap),
        cmocka_unit_test(a_thread_that_calls_after_any_of_the_stores_is_answered),
        cmocka_unit_test(a_thread_held_at_a_boundary_goes_on_after_any_of_the_stores),
        cmocka_unit_test(an_opcode_that_is_none_traps_as_well),
        cmocka_unit_test(nobody_who_would_come_back_from_a_signal_handler_is_overlooked),
    };

    held_take_steps();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
