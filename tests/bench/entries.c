/*
 * entries.c - entry slots: what it takes to arm one, by the way in which the code is changed, and
 * what a call through one costs, by the first instructions of the function.
 *
 * This measures a part, site.h, without a request around it; `request` has the whole.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"
#include "error.h"
#include "lock.h"
#include "site.h"

/* ---- functions: ten times the argument, for each kind of first instructions ---- */

/* The entry lies `lead` bytes after a multiple of 64: from 4 on the jump lies in two words. */
#define SHAPE(name, lead, first, last)                                                        \
    __asm__(".text\n.balign 64\n.fill " #lead ", 1, 0xcc\n.type " #name ", @function\n" #name \
            ":\n" first "\n lea (%rdi,%rdi,8), %rax\n add %rdi, %rax\n" last "\n ret\n" #name \
            "_end:\n.size " #name ", .-" #name "\n.fill 16, 1, 0xcc\n");                      \
    extern long name(long);                                                                   \
    extern const char name##_end[];

SHAPE(push_mov, 0, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(push_mov_astray, 6, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(pushes, 0, "push %r15\n push %r14\n push %r13\n push %r12",
      "pop %r12\n pop %r13\n pop %r14\n pop %r15")
SHAPE(sub_mov, 0, "sub $24, %rsp\n mov %rdi, %rdx", "add $24, %rsp")
SHAPE(relative, 0, "push %rbx\n lea relative(%rip), %rbx", "pop %rbx")
SHAPE(branch, 0, "test %rdi, %rdi\n je 1f\n nop\n nop\n1:\n nop\n nop", "")
SHAPE(one_nop, 0, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(one_nop_astray, 5, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(five_nops, 0, "nop\n nop\n nop\n nop\n nop", "")
SHAPE(endbr, 0, "endbr64\n push %rbp\n mov %rsp, %rbp\n nop\n nop", "pop %rbp")
/* Its stub has one place, which is taken; that of five_nops lies on another page. */
__asm__(".text\n.skip 8192, 0xcc\n");
SHAPE(no_place, 6, "push %rbp\n push %rbx\n push %rax\n push %rcx\n nop",
      "add $16, %rsp\n pop %rbx\n pop %rbp")

typedef long function(long);

static const struct shape {
    const char *name;
    function *call;
    const char *end;
} shapes[] = {
    {"push, mov", push_mov, push_mov_end},
    {"the same across two words", push_mov_astray, push_mov_astray_end},
    {"pushes", pushes, pushes_end},
    {"sub, mov", sub_mov, sub_mov_end},
    {"push, lea of %rip", relative, relative_end},
    {"test, je", branch, branch_end},
    {"one NOP", one_nop, one_nop_end},
    {"the same across two words", one_nop_astray, one_nop_astray_end},
    {"five NOPs", five_nops, five_nops_end},
    {"endbr64, push", endbr, endbr_end},
    {"no place for its stub", no_place, no_place_end},
};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes), ORDINARY = SHAPES - 1 };

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

static struct site *site_of(uintptr_t entry, size_t size)
{
    struct site_problem why = {0};
    struct site *site = site_at(entry, size, &why);

    if (!site || site_prepare(site, &why) != 0)
        give_up_on(&why);
    return site;
}

static struct site *site_of_shape(const struct shape *shape)
{
    uintptr_t entry = (uintptr_t)shape->call;

    return site_of(entry, (uintptr_t)shape->end - entry);
}

/* ---- preparing ---- */

static void time_preparing(void)
{
    struct samples times = {0};

    for (unsigned i = 0; i < MANY; i++) {
        double begun = now_us();

        site_of((uintptr_t)many + i * MANY_BYTES, MANY_BYTES);
        sample(&times, now_us() - begun);
    }
    row("preparing an entry slot", median(&times), "us", NO_BUDGET,
        "read, find room, move, write stubs; 90 %% below %.0f us; prototype 45 to 60 us",
        quantile(&times, 0.9));
}

/* ---- arming ---- */

enum { TECHNIQUES = 8, ARMINGS = 100 };

struct arming {
    struct samples in, out; /* of all */
    size_t techniques;
    struct technique {
        const char *name;
        struct samples in;
    } by[TECHNIQUES];
    bool refused[SHAPES];
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

static void arm_and_disarm(size_t shape, struct arming *arming)
{
    struct site *site = site_of_shape(&shapes[shape]);
    struct site_problem why = {0};
    double begun = now_us(), took;

    if (site_arm(site, clock_ms() + 5000, &why) != 0) {
        if (why.code != HP_SIGTRAP_BLOCKED)
            give_up_on(&why);
        arming->refused[shape] = true;
        return;
    }
    took = now_us() - begun;
    sample(&arming->in, took);
    sample(samples_by(arming, site_technique(site)), took);
    begun = now_us();
    if (site_disarm(site, clock_ms() + 5000, &why) != 0)
        give_up_on(&why);
    sample(&arming->out, now_us() - begun);
}

static void time_arming(const char *what, double budget, const char *beside)
{
    static struct arming arming;
    char how[512];
    size_t length = 0, refused = 0;

    memset(&arming, 0, sizeof(arming));
    for (unsigned i = 0; i < ARMINGS; i++)
        for (size_t s = 0; s < ORDINARY; s++)
            if (!arming.refused[s])
                arm_and_disarm(s, &arming);
    for (size_t i = 0; i < arming.techniques; i++)
        length += (size_t)snprintf(how + length, sizeof(how) - length, "%s%s %.1f us",
                                   i ? ", " : "", arming.by[i].name, median(&arming.by[i].in));
    for (size_t s = 0; s < SHAPES; s++)
        refused += arming.refused[s];
    if (refused)
        snprintf(how + length, sizeof(how) - length, "; %zu of %d kinds refused", refused,
                 ORDINARY);
    row(what, median(&arming.in), "us", budget, "%s; 90 %% below %.0f us, out %.1f us; %s", how,
        quantile(&arming.in, 0.9), median(&arming.out), beside);
}

/* Threads must be made to leave: each has to come to run. */
static void time_evacuation(void)
{
    enum { TIMES_OUT = 20 };
    static struct arming arming;

    for (unsigned i = 0; i < TIMES_OUT; i++)
        arm_and_disarm(ORDINARY, &arming);
    row("  where its stub has no place", median(&arming.in), "us", NO_BUDGET,
        "%s; 4 busy threads on %ld processors; out %.1f us", arming.by[0].name,
        sysconf(_SC_NPROCESSORS_ONLN), median(&arming.out));
}

/* ---- other threads ---- */

enum { BUSY = 4 };

static _Atomic bool over;
static _Atomic unsigned begun;

static void *call_all(void *unused)
{
    begun++;
    while (!over)
        for (size_t i = 0; i < SHAPES; i++)
            if (shapes[i].call(7) != 70)
                give_up("a wrong result");
    return unused;
}

static void *sleep_deaf(void *unused)
{
    sigset_t every;

    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, NULL);
    begun++;
    while (!over)
        usleep(1000);
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
    over = true;
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void arm_while_busy(void)
{
    time_arming("  the same, 4 busy threads", NO_BUDGET, "prototype 42 us");
    time_evacuation();
}

static void arm_while_deaf(void)
{
    time_arming("  the same, a thread that blocks every signal", NO_BUDGET,
                "it is seen asleep elsewhere first");
}

/* ---- calls ---- */

enum { TIMES = 150, CALLS = 200000 }; /* the fastest counts: short runs miss interruptions */

static double time_calls(uintptr_t address)
{
    function *volatile hidden = (function *)address;
    function *call = hidden;
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
    struct samples direct, slot, plain, original, noting, settled;
};

static void swap(int (*change)(struct site *, uint64_t, struct site_problem *), struct site *site)
{
    struct site_problem why = {0};

    if (change(site, clock_ms() + 5000, &why) != 0)
        give_up_on(&why);
}

/* In turn, so that what slows the machine slows them all. */
static void time_shape(const struct shape *shape, uintptr_t replacement, struct costs *costs)
{
    struct site *site = site_of_shape(shape);

    for (int i = 0; i < TIMES; i++) {
        sample(&costs->plain, time_calls((uintptr_t)shape->call));
        sample(&costs->original, time_calls(site_original(site)));
        sample(&costs->direct, time_calls(replacement));
        swap(site_arm, site);
        site_switch(site, replacement, true);
        sample(&costs->noting, time_calls((uintptr_t)shape->call));
        if (!site_settle(site))
            give_up("a call was not seen");
        sample(&costs->settled, time_calls((uintptr_t)shape->call));
        site_switch(site, replacement, false);
        sample(&costs->slot, time_calls((uintptr_t)shape->call));
        site_switch(site, site_original(site), false);
        swap(site_disarm, site);
    }
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void calls_row(const char *what, uintptr_t replacement, double budget, const char *beside)
{
    double worst = -INFINITY, original = -INFINITY, noting = -INFINITY, settled = -INFINITY;
    char how[512];
    size_t length = 0;

    for (size_t s = 0; s < ORDINARY; s++) {
        struct costs costs = {0};
        double over_direct;

        time_shape(&shapes[s], replacement, &costs);
        over_direct = least(&costs.slot) - least(&costs.direct);
        worst = larger(worst, over_direct);
        original = larger(original, least(&costs.original) - least(&costs.plain));
        noting = larger(noting, least(&costs.noting) - least(&costs.slot));
        settled = larger(settled, least(&costs.settled) - least(&costs.slot));
        length += (size_t)snprintf(how + length, sizeof(how) - length, "%s%s %+.2f", s ? ", " : "",
                                   shapes[s].name, over_direct);
    }
    row(what, worst, "ns", budget, "the worst of: %s; %s", how, beside);
    row("  the original, called through its pointer", original, "ns", NO_BUDGET,
        "over the function unpatched, the worst of the same");
    row("  until it is seen that the new code is entered", noting, "ns", NO_BUDGET,
        "on top; once seen %+.2f ns", settled);
}

static void time_switching(uintptr_t first, uintptr_t second)
{
    struct site *site = site_of_shape(&shapes[0]);
    double started;

    swap(site_arm, site);
    started = now_us();
    for (int i = 0; i < CALLS; i++) {
        site_switch(site, first, false);
        site_switch(site, second, false);
        site_switch(site, site_original(site), false);
    }
    row("switching an armed entry slot", (now_us() - started) * 1000 / CALLS / 3, "ns", NO_BUDGET,
        "v1, v2, revert in turn: stores");
    swap(site_disarm, site);
}

int main(void)
{
    uintptr_t here = (uintptr_t)main, near = make_replacement((here & ~0xfffUL) - (64UL << 20));
    uintptr_t far = make_replacement(0);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mmap((void *)(((uintptr_t)no_place + 5 - 0x33333334UL) & ~0xfffUL), 4096, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    time_preparing();
    time_arming("arming an entry slot, no other thread", 20, "prototype 10 us");
    with_threads(BUSY, call_all, arm_while_busy);
    with_threads(1, sleep_deaf, arm_while_deaf);
    time_switching(near, far);
    calls_row("call through an entry slot, over the replacement", near, 0.7, "prototype +0.55 ns");
    calls_row("  the same, replacement 4 GiB away or more", far, 1.8, "prototype +1.64 ns");
    return 0;
}
