/*
 * test_unwind.c - the unwinder without allocation, locks or faults, against libgcc's, after each
 * instruction of real functions; and on tables that are damaged.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <cmocka.h>

#include "base/unwind.h"

enum { DEPTH_MAX = 64, TRAP_FLAG = 0x100 };

/* ---- each instruction ---- */

struct stack {
    uint64_t pc[DEPTH_MAX];
    unsigned depth;
};

static struct {
    unsigned long steps, same, unknown, different;
    uint64_t first_different;
    enum cfi_result end;
} seen;

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *to)
{
    struct stack *stack = to;
    int before;
    uint64_t pc = _Unwind_GetIPInfo(context, &before);

    if (stack->depth == DEPTH_MAX)
        return _URC_END_OF_STACK;
    stack->pc[stack->depth++] = pc;
    return _URC_NO_REASON;
}

static void unwind_all(const void *context, struct stack *stack)
{
    struct cfi_frame frame;

    unwind_from_context(&frame, context);
    do
        stack->pc[stack->depth++] = frame.value[cfi_machine.pc];
    while (stack->depth < DEPTH_MAX && (seen.end = unwind_step(&frame, NULL)) == CFI_OK);
}

/* libgcc's begins in the handler; ours at what was interrupted. */
static bool is_same(const struct stack *own, const struct stack *theirs)
{
    for (unsigned i = 0; i < theirs->depth; i++) {
        unsigned left = theirs->depth - i;

        if (theirs->pc[i] != own->pc[0])
            continue;
        return (own->depth == left ||
                /* It counts the frame of which the return address is zero. */
                (own->depth + 1 == left && theirs->pc[theirs->depth - 1] == 0)) &&
               memcmp(own->pc, &theirs->pc[i], own->depth * sizeof(own->pc[0])) == 0;
    }
    return false;
}

/* Ended by the handler, which leaves the flag off. */
static volatile sig_atomic_t stepping;

static void step(int signal, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    struct stack own = {.depth = 0}, theirs = {.depth = 0};

    (void)signal;
    (void)info;
    seen.steps++;
    unwind_all(context, &own);
    _Unwind_Backtrace(note, &theirs);
    if (is_same(&own, &theirs))
        seen.same++;
    else if (seen.end == CFI_NO_FDE)
        seen.unknown++;
    else if (seen.different++ == 0)
        seen.first_different = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
    if (stepping)
        interrupted->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
    else
        interrupted->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

static void set_trap_flag(void)
{
    stepping = 1;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "cc", "memory");
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static __attribute__((noinline)) int deep(int n)
{
    volatile int kept = n;

    return n == 0 ? 0 : deep(n - 1) + kept;
}

static void work(void)
{
    int numbers[] = {5, 3, 9, 1, 7, 2, 8};
    char text[128];
    void *block = malloc(100);

    qsort(numbers, sizeof(numbers) / sizeof(*numbers), sizeof(*numbers), by_value);
    snprintf(text, sizeof(text), "%d %s %.3f", numbers[0], "and", 1.5 * numbers[1]);
    free(block);
    deep(5);
    (void)strtod(text, NULL);
    (void)time(NULL);
}

static void each_instruction_unwinds_as_libgcc_does(void **state)
{
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO}, old;
    struct stack warm = {.depth = 0};

    (void)state;
    _Unwind_Backtrace(note, &warm); /* loads what it needs */
    work();
    memset(&seen, 0, sizeof(seen));
    sigaction(SIGTRAP, &action, &old);
    set_trap_flag();
    work();
    stepping = 0;
    __asm__ volatile("nop; nop");
    sigaction(SIGTRAP, &old, NULL);
    print_message("%lu steps: %lu as libgcc, %lu in code without call frame information\n",
                  seen.steps, seen.same, seen.unknown);
    assert_true(seen.steps > 3000);
    if (seen.different)
        fail_msg("%lu differ, the first at 0x%llx", seen.different,
                 (unsigned long long)seen.first_different);
    assert_true(seen.same > seen.steps * 9 / 10);
}

/* ---- a signal frame in between ---- */

static struct stack through_signal;

static void outer_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    unwind_all(context, &through_signal);
}

static void inner_handler(int signal)
{
    (void)signal;
    raise(SIGUSR2);
}

static void a_signal_frame_leads_to_what_it_interrupted(void **state)
{
    struct sigaction outer = {.sa_sigaction = outer_handler, .sa_flags = SA_SIGINFO};
    struct sigaction inner = {.sa_handler = inner_handler};
    struct stack here = {.depth = 0};
    Dl_info info;
    bool found = false;

    (void)state;
    through_signal.depth = 0;
    sigaction(SIGUSR2, &outer, NULL);
    sigaction(SIGUSR1, &inner, NULL);
    raise(SIGUSR1);
    _Unwind_Backtrace(note, &here);
    assert_int_equal(seen.end, CFI_END);
    /* The outermost functions are those of this very function. */
    for (unsigned i = 0; i < through_signal.depth; i++)
        if (dladdr((void *)(uintptr_t)(through_signal.pc[i] - 1), &info) &&
            through_signal.pc[i] == here.pc[1])
            found = true;
    assert_true(found);
}

/* ---- another thread's end ---- */

static void *in_thread(void *unused)
{
    (void)unused;
    raise(SIGUSR2);
    return NULL;
}

static void a_threads_stack_has_an_end(void **state)
{
    struct sigaction outer = {.sa_sigaction = outer_handler, .sa_flags = SA_SIGINFO};
    pthread_t thread;

    (void)state;
    through_signal.depth = 0;
    sigaction(SIGUSR2, &outer, NULL);
    assert_int_equal(pthread_create(&thread, NULL, in_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(seen.end, CFI_END);
    assert_true(through_signal.depth >= 3);
}

/* ---- nothing faults ---- */

static void addresses_that_are_not_mapped_are_no_fault(void **state)
{
    const struct cfi_memory memory = {.read = unwind_read};
    struct cfi_frame frame = {.known = (1U << CFI_REGISTERS) - 1};
    uint64_t word;

    (void)state;
    assert_false(unwind_read(NULL, 8, &word, sizeof(word)));
    assert_int_equal(unwind_step(&frame, NULL), CFI_NO_FDE);
    assert_int_equal(cfi_find(&memory, 8, 100), 0);
    assert_int_equal(cfi_find(&memory, UINT64_MAX - 8, 100), 0);
}

enum { RBP = 6 };

static void a_stack_pointer_that_leads_nowhere_is_damage(void **state)
{
    struct cfi_frame frame = {.known = (1U << CFI_REGISTERS) - 1};

    (void)state;
    frame.value[cfi_machine.pc] = (uintptr_t)&deep + 1;
    frame.value[cfi_machine.sp] = 8;
    frame.value[RBP] = 8;
    assert_int_equal(unwind_step(&frame, NULL), CFI_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instruction_unwinds_as_libgcc_does),
        cmocka_unit_test(a_signal_frame_leads_to_what_it_interrupted),
        cmocka_unit_test(a_threads_stack_has_an_end),
        cmocka_unit_test(addresses_that_are_not_mapped_are_no_fault),
        cmocka_unit_test(a_stack_pointer_that_leads_nowhere_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
