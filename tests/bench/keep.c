/*
 * keep.c - what a call costs that goes through a keeping stub, over one through a plain stub: each jumps
 * through a word, to the thunk or to the replacement itself. Each call waits for the value of the one
 * before.
 */
#include "bench.h"
#include "loader/text/keeper.h"

enum { TIMES = 300, CALLS = 100000 };

__attribute__((noinline)) static long replacement(long x)
{
    return x + 1;
}

static uintptr_t word __attribute__((used));
long through_stub(long x);
__asm__(".pushsection .text\n.p2align 4\nthrough_stub: jmp *word(%rip)\n.popsection\n");

static double time_through(uintptr_t to)
{
    double begun;
    long value = 1;

    __atomic_store_n(&word, to, __ATOMIC_RELEASE);
    begun = now_us();
    for (int i = 0; i < CALLS; i++)
        value = through_stub(value);
    __asm__ volatile("" : : "r"(value));
    return (now_us() - begun) * 1000 / (double)CALLS;
}

static void measure(const char *what, const struct keep *keep, double budget)
{
    struct samples plain = {0}, kept = {0};
    struct keeper *keepers = NULL;
    uintptr_t function = (uintptr_t)replacement;

    if (keeper_make(&keepers, function, function, keep) != 0)
        give_up("keeper_make");
    for (int i = 0; i < TIMES; i++) {
        sample(&plain, time_through(function));
        sample(&kept, time_through(keeper_way(keepers, function)));
    }
    row(what, least(&kept) - least(&plain), "ns", budget, "%.2f ns against %.2f ns of a plain stub",
        least(&kept), least(&plain));
}

int main(void)
{
    /* rcx, rdx, rsi, rdi, r8, r9 */
    struct keep general = {.kept = {.general = 0x03c6}};
    struct keep arguments = {.kept = {.general = 0x03c6}, .stack_bytes = 16};
    struct keep vectors = {.kept = {.vector = 0xfffc, .vector_bytes = 16}};

    measure("call through a keeping stub, six registers", &general, 3);
    measure("  with two arguments on the stack", &arguments, NO_BUDGET);
    measure("  with all xmm registers", &vectors, NO_BUDGET);
    return 0;
}
