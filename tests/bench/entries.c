/*
 * entries.c - entry slots: what it takes to arm one, by the way in which the code is changed, and
 * what a call through one costs, by the first instructions of the function.
 *
 * This measures a part, site.h, without a request around it, on the functions of shapes.h.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/refusal.h"
#include "bench.h"
#include "loader/text/damage.h"
#include "loader/text/site_find.h"
#include "loader/text/site_place.h"
#include "tests/support/shapes.h"

/* Functions that are prepared once, as all are. */
enum { MANY = 256, MANY_BYTES = 32 };
__asm__(".text\n.balign 64\nmany:\n.rept 256\n push %rbp\n mov %rsp, %rbp\n sub $16, %rsp\n"
        " lea (%rdi,%rdi,8), %rax\n leave\n ret\n.balign 32, 0xcc\n.endr\n");
extern const char many[];

__attribute__((noreturn)) static void give_up_on(const struct site_problem *why)
{
    fprintf(stderr, "entries: %s\n", why->text);
    exit(1);
}

/* ---- preparing ---- */

static void time_preparing(void)
{
    struct samples times = {0};
    struct site_problem why = {0};

    for (unsigned i = 0; i < MANY; i++) {
        double begun = now_us();

        struct site *site = site_at((uintptr_t)many + i * MANY_BYTES,
                                    &(struct function_code){.size = MANY_BYTES}, &why);

        if (!site || site_prepare(site, &why) != 0)
            give_up_on(&why);
        sample(&times, now_us() - begun);
    }
    row("preparing an entry slot", median(&times), "us", NO_BUDGET,
        "read, find room, move, write stubs; 90 %% below %.0f us; prototype 45 to 60 us",
        quantile(&times, 0.9));
}

/* ---- comparing ---- */

enum { COMPARED = 10000, COMPARED_APART = 272, ROUNDS = 200 };

/* What every request does for armed entries, which lie in 2.7 MB of code. */
static void time_comparing(void)
{
    static struct damage watched[COMPARED];
    struct samples times = {0};
    uint8_t *code = mmap(NULL, COMPARED * COMPARED_APART, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        give_up("mmap");
    memset(code, 0x90, COMPARED * COMPARED_APART);
    for (size_t i = 0; i < COMPARED; i++) {
        struct damage_piece piece = {.at = (uintptr_t)code + i * COMPARED_APART, .size = 5};

        memset(piece.written, 0x90, piece.size);
        if (damage_watch(&watched[i], &piece) != 0)
            give_up("damage_watch");
    }
    for (int i = 0; i < ROUNDS; i++) {
        double begun = now_us();

        if (damage_look() != 0)
            give_up("damage_look");
        sample(&times, now_us() - begun);
    }
    row("comparing 10,000 armed entries", median(&times), "us", 1000,
        "at every request; 90 %% below %.0f us", quantile(&times, 0.9));
    munmap(code, COMPARED * COMPARED_APART);
    for (size_t i = 0; i < COMPARED; i++)
        damage_unwatch(&watched[i]);
}

/* ---- arming ---- */

enum { TECHNIQUES = 8, SHAPES_MOST = 32 };

struct arming {
    struct samples in, out; /* of all */
    size_t techniques;
    struct technique {
        const char *name;
        struct samples in;
    } by[TECHNIQUES];
    bool refused[SHAPES_MOST];
};

static struct samples *samples_by(struct arming *arming, const char *technique)
{
    for (size_t i = 0; i < arming->techniques; i++)
        if (strcmp(arming->by[i].name, technique) == 0)
            return &arming->by[i].in;
    if (arming->techniques == TECHNIQUES)
        give_up("more techniques than expected");
    arming->by[arming->techniques].name = technique;
    return &arming->by[arming->techniques++].in;
}

/* False: it is refused. */
static bool arm_and_disarm(const struct shape *shape, struct arming *arming)
{
    struct site *site = shape_site(shape);
    struct site_problem why = {0};
    double begun = now_us(), took;

    if (site_arm(site, soon(), &why) != 0) {
        if (why.code != HP_SIGTRAP_BLOCKED)
            give_up_on(&why);
        return false;
    }
    took = now_us() - begun;
    sample(&arming->in, took);
    sample(samples_by(arming, site_technique(site)), took);
    begun = now_us();
    if (site_disarm(site, soon(), &why) != 0)
        give_up_on(&why);
    sample(&arming->out, now_us() - begun);
    return true;
}

static void time_arming(const char *what, unsigned rounds, double budget, const char *beside)
{
    static struct arming arming;
    char how[512];
    size_t length = 0, refused = 0;

    memset(&arming, 0, sizeof(arming));
    for (unsigned i = 0; i < rounds; i++)
        for (size_t s = 0; s < shapes_count; s++)
            if (!arming.refused[s])
                arming.refused[s] = !arm_and_disarm(&shapes[s], &arming);
    for (size_t i = 0; i < arming.techniques; i++)
        length += (size_t)snprintf(how + length, sizeof(how) - length, "%s%s %.1f us",
                                   i ? ", " : "", arming.by[i].name, median(&arming.by[i].in));
    for (size_t s = 0; s < shapes_count; s++)
        refused += arming.refused[s];
    if (refused)
        snprintf(how + length, sizeof(how) - length, "; %zu of %zu kinds refused", refused,
                 shapes_count);
    row(what, median(&arming.in), "us", budget, "%s; 90 %% below %.0f us, out %.1f us; %s", how,
        quantile(&arming.in, 0.9), median(&arming.out), beside);
}

/* Threads must be made to leave: each has to come to run. */
static void time_evacuation(void)
{
    enum { TIMES_OUT = 20 };
    static struct arming arming;

    for (unsigned i = 0; i < TIMES_OUT; i++)
        arm_and_disarm(&shape_alone, &arming);
    row("  where its stub has no place", median(&arming.in), "us", NO_BUDGET,
        "%s; 4 busy threads on %ld processors; out %.1f us", arming.by[0].name,
        sysconf(_SC_NPROCESSORS_ONLN), median(&arming.out));
}

/* ---- other threads ---- */

enum { BUSY = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static _Atomic bool over;
static _Atomic unsigned begun;

static void *call_all(void *unused)
{
    begun++;
    while (!over)
        for (size_t i = 0; i < shapes_count; i++)
            if (shape_call(&shapes[i], 7) != 71)
                give_up("a wrong result");
    return unused;
}

static void *sleep_deaf(void *unused)
{
    sigset_t every;

    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, NULL);
    begun++;
    pthread_mutex_lock(&lock);
    while (!over)
        pthread_cond_wait(&woken, &lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void with_threads(unsigned count, void *(*work)(void *), void (*measure)(void))
{
    pthread_t threads[BUSY];

    over = false;
    begun = 0;
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            give_up("pthread_create");
    while (begun < count)
        usleep(1000);
    measure();
    pthread_mutex_lock(&lock);
    over = true;
    pthread_cond_broadcast(&woken);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void arm_while_busy(void)
{
    time_arming("  the same, 4 busy threads", 60, NO_BUDGET, "prototype 42 us");
    time_evacuation();
}

static void arm_while_deaf(void)
{
    time_arming("  the same, a thread that blocks every signal", 5, NO_BUDGET,
                "it is seen asleep elsewhere first");
}

/* ---- calls ---- */

enum { TIMES = 150, CALLS = 200000 }; /* the fastest counts: short runs miss interruptions */

static double time_calls(uintptr_t address)
{
    shape_function *volatile hidden = (shape_function *)address;
    shape_function *call = hidden;
    long value = 1;
    double started = now_us();

    for (int i = 0; i < CALLS; i++)
        value = call(value);
    __asm__ volatile("" : : "r"(value));
    return (now_us() - started) * 1000 / CALLS;
}

/* lea 1(%rdi), %rax; ret: near the program, or where a dlopened patch of a PIE program lies. */
static uintptr_t make_replacement(uintptr_t place)
{
    static const uint8_t code[] = {0x48, 0x8d, 0x47, 0x01, 0xc3};
    uint8_t *page =
        mmap((void *)place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        give_up("mmap");
    memcpy(page, code, sizeof(code));
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    return (uintptr_t)page;
}

struct costs {
    struct samples direct, slot, plain, original, hit_stub, settled;
};

/* In turn, so that what slows the machine slows them all. */
static void time_shape(const struct shape *shape, uintptr_t replacement, struct costs *costs)
{
    struct site *site = shape_site(shape);

    for (int i = 0; i < TIMES; i++) {
        sample(&costs->plain, time_calls((uintptr_t)shape->call));
        sample(&costs->original, time_calls(site_original(site)));
        sample(&costs->direct, time_calls(replacement));
        shape_arm(shape);
        site_switch(site, replacement, true);
        sample(&costs->hit_stub, time_calls((uintptr_t)shape->call));
        if (!site_take_hit(site))
            give_up("a call was not seen");
        sample(&costs->settled, time_calls((uintptr_t)shape->call));
        site_switch(site, replacement, false);
        sample(&costs->slot, time_calls((uintptr_t)shape->call));
        site_switch(site, site_original(site), false);
        shape_disarm(shape);
    }
}

/* Of what a cost is over another, by shape. */
static void over_row(const char *what, struct samples *over, double budget, const char *how)
{
    row(what, median(over), "ns", budget,
        "median of %zu kinds of first instructions, %+.2f to %+.2f; %s", over->count, least(over),
        quantile(over, 1), how);
}

static void calls_rows(const char *what, uintptr_t replacement, double budget, const char *beside)
{
    struct samples slot = {0}, by_short = {0}, original = {0}, hit_stub = {0}, settled = {0};
    char how[128];

    for (size_t s = 0; s < shapes_count; s++) {
        struct costs costs = {0};

        time_shape(&shapes[s], replacement, &costs);
        sample(s < shapes_short ? &slot : &by_short, least(&costs.slot) - least(&costs.direct));
        sample(&original, least(&costs.original) - least(&costs.plain));
        sample(&hit_stub, least(&costs.hit_stub) - least(&costs.slot));
        sample(&settled, least(&costs.settled) - least(&costs.slot));
    }
    over_row(what, &slot, budget, beside);
    over_row("  by a short jump and one from the padding", &by_short, NO_BUDGET,
             "two direct jumps before the stub's");
    over_row("  the original through its pointer, over unpatched", &original, NO_BUDGET,
             "a call that was moved costs most");
    snprintf(how, sizeof(how), "on top; once one was seen %+.2f", median(&settled));
    over_row("  while calls are noted", &hit_stub, NO_BUDGET, how);
}

static void time_switching(uintptr_t first, uintptr_t second)
{
    const struct shape *shape = &shapes[0];
    struct site *site = shape_site(shape);
    double started;

    shape_arm(shape);
    started = now_us();
    for (int i = 0; i < CALLS; i++) {
        site_switch(site, first, false);
        site_switch(site, second, false);
        site_switch(site, site_original(site), false);
    }
    row("switching an armed entry slot", (now_us() - started) * 1000 / CALLS / 3, "ns", NO_BUDGET,
        "v1, v2, revert in turn: stores");
    shape_disarm(shape);
}

int main(void)
{
    uintptr_t here = (uintptr_t)main, near = make_replacement((here & ~0xfffUL) - (64UL << 20));
    uintptr_t far = make_replacement(0);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    shape_take_places(&shape_alone, UINT_MAX);
    time_preparing();
    time_comparing();
    time_arming("arming an entry slot, no other thread", 100, 20, "prototype 10 us");
    with_threads(BUSY, call_all, arm_while_busy);
    with_threads(1, sleep_deaf, arm_while_deaf);
    time_switching(near, far);
    calls_rows("call through an entry slot, over the replacement", near, 0.7, "prototype +0.55 ns");
    calls_rows("  the same, replacement 4 GiB away or more", far, 1.8, "prototype +1.64 ns");
    return 0;
}
