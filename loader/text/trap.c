/*
 * trap.c - see trap.h.
 *
 * The question where a thread is comes as SIGILL, not as SIGTRAP. While one SIGTRAP is pending the kernel drops the
 * next (signal(7)). A thread that met an int3 would then get the question in place of the trap, with its PC after the
 * int3, where an old instruction may have begun.
 */
#include "loader/text/trap.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "base/bare.h"
#include "base/clock.h"
#include "base/sigframe.h"
#include "base/sys.h"
#include "base/sys_signal.h"
#include "base/sys_wait.h"
#include "loader/text/stacks.h"

enum { BUCKETS = 1024, LAYERS = 8, LAST_SIGNAL = 64, AWAIT_MS = 2, FIRST_ROUND = 0x48500000 };

static struct trap *_Atomic buckets[BUCKETS];

/* The host may take SIGTRAP later, and its handler may call the action that it found. Each time the host does so,
 * another handler of the engine is installed, which has the host's action as its next action. */
enum { ON_TRAP, ON_FAULT, SIGNALS };
static const int signals[SIGNALS] = {SIGTRAP, SIGILL};
static struct sys_sigaction behind[SIGNALS][LAYERS];
static uint32_t layers[SIGNALS];

static struct {
    _Atomic uint32_t now;  /* the last round's number, even */
    _Atomic uint32_t open; /* a round is under way */
    struct trap_round asked;
    _Atomic uint32_t answers; /* a futex: the number of answers */
    /* questions without an answer, including those to threads that have ended */
    _Atomic uint32_t unanswered;
    _Atomic uint32_t lost; /* questions that arrived without their value */
    _Atomic bool waiting;
} rounds = {.now = FIRST_ROUND};

static struct trap *_Atomic *trap_bucket(uintptr_t address)
{
    return &buckets[(address ^ address >> 12) % BUCKETS];
}

void trap_add(struct trap *trap)
{
    struct trap *_Atomic *bucket = trap_bucket(trap->address);

    trap->next = atomic_load_explicit(bucket, memory_order_relaxed);
    atomic_store_explicit(bucket, trap, memory_order_release);
}

BARE static uintptr_t relocated_from(uintptr_t address)
{
    const struct trap *trap = atomic_load_explicit(trap_bucket(address), memory_order_acquire);

    while (trap && __atomic_load_n(&trap->address, __ATOMIC_ACQUIRE) != address)
        trap = trap->next;
    return trap ? trap->relocated : 0;
}

/* ---- rounds ---- */

BARE static bool is_question(const siginfo_t *info)
{
    uint64_t value = (uint64_t)(uintptr_t)info->si_value.sival_ptr;

    return info->si_code == SI_QUEUE && info->si_pid == sys_getpid() && value >> 32 > FIRST_ROUND &&
           value >> 32 <= atomic_load_explicit(&rounds.now, memory_order_acquire);
}

/* Count an answer. Return whether a question was unanswered. */
BARE static bool count_answered(void)
{
    uint32_t left = atomic_load_explicit(&rounds.unanswered, memory_order_acquire);

    while (left && !atomic_compare_exchange_weak(&rounds.unanswered, &left, left - 1))
        ;
    return left != 0;
}

/*
 * Return whether the signal is a question that has lost its value. If the user's pending signals have reached
 * RLIMIT_SIGPENDING, the kernel delivers SIGILL without its siginfo, as a signal of kill(2) by process 0 and user 0
 * (collect_signal() in kernel/signal.c). The host's action for it would end the process. A kill(2) from outside of the
 * pid namespace looks the same: it counts as a question only while a question is unanswered.
 */
BARE static bool is_lost_question(const siginfo_t *info)
{
    return info->si_code == SI_USER && info->si_pid == 0 && info->si_uid == 0 && count_answered();
}

/* Return the number of the question's round if the round is still open; else 0. */
BARE static uint32_t round_of_signal(const siginfo_t *info)
{
    uint32_t number = (uint64_t)(uintptr_t)info->si_value.sival_ptr >> 32;

    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&rounds.open, memory_order_acquire) &&
                   number == atomic_load_explicit(&rounds.now, memory_order_acquire)
               ? number
               : 0;
}

/* Return whether the thread was on its alternate stack. The kernel does not report SS_ONSTACK in the frame. */
BARE static bool was_on_alternate_stack(const ucontext_t *state, uintptr_t pointer)
{
    return pointer - (uintptr_t)state->uc_stack.ss_sp < state->uc_stack.ss_size;
}

/* Return whether the thread may come back into the range. If the thread is on its alternate stack, the contents of its
 * other stack are not known. The table of stacks is valid only while the round is open. */
BARE static bool may_come_back(const siginfo_t *info, void *context, const struct trap_round *round)
{
    uintptr_t pointer = sigframe_sp(context), end = own_stack_end(pointer);

    return was_on_alternate_stack(context, pointer) || !end || !round_of_signal(info) ||
           own_stack_leads_into(pointer, end, round->begin, round->end);
}

/* Count an answer and wake the listener. A strict filter may forbid the thread any system call, so futex(2) is called
 * only if the listener sleeps. */
BARE static void wake_trap_waiter(void)
{
    atomic_fetch_add_explicit(&rounds.answers, 1, memory_order_release);
    if (atomic_load_explicit(&rounds.waiting, memory_order_acquire))
        sys_futex_wake(&rounds.answers, 1);
}

/* Count a lost question. The thread stays where it is, and is asked again. */
BARE static void answer_lost_question(void)
{
    atomic_fetch_add_explicit(&rounds.lost, 1, memory_order_release);
    wake_trap_waiter();
}

BARE static void answer(const siginfo_t *info, void *context)
{
    uint32_t index = (uint32_t)(uintptr_t)info->si_value.sival_ptr, number = round_of_signal(info);
    struct trap_round round = rounds.asked;
    uintptr_t pc = sigframe_pc(context);

    if (!number || !round_of_signal(info) || index >= round.count)
        return;
    if (pc > round.begin && pc < round.end)
        sigframe_go_on(context, relocated_from(pc));
    if (may_come_back(info, context, &round))
        number++;
    atomic_store_explicit(&round.answered[index], number, memory_order_release);
    wake_trap_waiter();
}

uint32_t trap_round_begin(const struct trap_round *round)
{
    uint32_t number = atomic_load_explicit(&rounds.now, memory_order_relaxed) + 2;

    rounds.asked = *round;
    atomic_store_explicit(&rounds.now, number, memory_order_release);
    atomic_store_explicit(&rounds.open, 1, memory_order_release);
    return number;
}

/* End the round. A handler that runs later sees that the round is closed before the round's data changes. */
void trap_round_end(void)
{
    atomic_store_explicit(&rounds.open, 0, memory_order_seq_cst);
    atomic_thread_fence(memory_order_release);
}

/* Ask the thread by rt_tgsigqueueinfo(2). The signal has a value, so it is never taken for the host's raise(3). */
int trap_ask(pid_t tid, uint32_t index)
{
    uint64_t number = atomic_load_explicit(&rounds.now, memory_order_relaxed);
    siginfo_t info = {.si_signo = SIGILL, .si_code = SI_QUEUE};
    int result;

    info.si_pid = sys_getpid();
    info.si_uid = sys_geteuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)(number << 32 | index);
    atomic_fetch_add_explicit(&rounds.unanswered, 1, memory_order_seq_cst);
    result = (int)sys_call4(SYS_rt_tgsigqueueinfo, info.si_pid, tid, SIGILL, (long)&info);
    if (result != 0)
        atomic_fetch_sub_explicit(&rounds.unanswered, 1, memory_order_relaxed);
    return result;
}

uint32_t trap_lost(void)
{
    return atomic_load_explicit(&rounds.lost, memory_order_acquire);
}

uint32_t trap_answers(void)
{
    return atomic_load_explicit(&rounds.answers, memory_order_acquire);
}

void trap_await(uint32_t answers)
{
    struct timespec limit = clock_spec(clock_ms() + AWAIT_MS);

    atomic_store_explicit(&rounds.waiting, true, memory_order_seq_cst);
    sys_futex_wait(&rounds.answers, answers, &limit);
    atomic_store_explicit(&rounds.waiting, false, memory_order_release);
}

/* ---- the handler ---- */

BARE static bool from_kernel(const siginfo_t *info)
{
    return info->si_code > 0;
}

/* End the process by the default action, as it would end without the engine. */
BARE static void die(int signal)
{
    struct sys_sigaction standard = {.handler = (uintptr_t)SIG_DFL};
    sys_sigset set = SYS_SIGBIT(signal);

    sys_sigaction(signal, &standard, NULL);
    sys_tgkill(sys_getpid(), sys_gettid(), signal);
    sys_sigprocmask(SIG_UNBLOCK, &set, NULL);
}

BARE static void chain(struct sys_sigaction *action, int signal, siginfo_t *info, void *context)
{
    struct sys_sigaction host = *action;
    const sys_sigset own = SYS_SIGBIT(signal);
    sys_sigset old;

    if (host.handler == (uintptr_t)SIG_IGN && !from_kernel(info))
        return;
    if (host.handler == (uintptr_t)SIG_DFL || host.handler == (uintptr_t)SIG_IGN) {
        die(signal);
        return;
    }
    if (host.flags & SA_RESETHAND)
        action->handler = (uintptr_t)SIG_DFL;
    if (!(host.flags & SA_NODEFER))
        host.mask |= own;
    sys_sigprocmask(SIG_BLOCK, &host.mask, &old);
    if (!(host.mask & own))
        sys_sigprocmask(SIG_UNBLOCK, &own, NULL);
    ((void (*)(int, siginfo_t *, void *))host.handler)(signal, info, context);
    sys_sigprocmask(SIG_SETMASK, &old, NULL);
}

BARE static void on_signal(int layer, int signal, siginfo_t *info, void *context)
{
    int which = signal == SIGTRAP ? ON_TRAP : ON_FAULT;
    uintptr_t relocated = 0;

    if (which == ON_FAULT && is_question(info)) {
        count_answered();
        answer(info, context);
        return;
    }
    if (which == ON_FAULT && is_lost_question(info)) {
        answer_lost_question();
        return;
    }
    if (which == ON_TRAP && (info->si_code == SI_KERNEL || info->si_code == TRAP_BRKPT))
        relocated = relocated_from(sigframe_trap(context));
    if (which == ON_FAULT && from_kernel(info))
        relocated = relocated_from(sigframe_pc(context));
    if (relocated)
        sigframe_go_on(context, relocated);
    else
        chain(&behind[which][layer], signal, info, context);
}

#define LAYER(n)                                                               \
    BARE static void on_signal_##n(int signal, siginfo_t *info, void *context) \
    {                                                                          \
        on_signal(n, signal, info, context);                                   \
    }
LAYER(0)
LAYER(1)
LAYER(2)
LAYER(3)
LAYER(4)
LAYER(5)
LAYER(6)
LAYER(7)

static void (*const handlers[LAYERS])(int, siginfo_t *, void *) = {
    on_signal_0, on_signal_1, on_signal_2, on_signal_3,
    on_signal_4, on_signal_5, on_signal_6, on_signal_7};

/* Return the layer to install over the action `now`: the layer that has `now` as its next action already, or a new
 * layer. */
static uint32_t layer_over(int which, const struct sys_sigaction *now)
{
    for (uint32_t i = 0; i < layers[which]; i++)
        if (behind[which][i].handler == now->handler && behind[which][i].flags == now->flags)
            return i;
    return layers[which] == LAYERS ? LAYERS - 1 : layers[which]++;
}

static bool is_own_action(const struct sys_sigaction *action)
{
    for (uint32_t i = 0; i < LAYERS; i++)
        if (action->handler == (uintptr_t)handlers[i])
            return true;
    return false;
}

/* Install the handler. SA_NODEFER is not set for questions: a thread that has answered may be asked again before it has
 * left the handler, many times. Without it the questions wait; with it their frames would fill an alternate stack. */
static int install(int which)
{
    struct sys_sigaction now, action = {.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER,
                                        .restorer = sigframe_return};
    uint32_t layer;
    int result = sys_sigaction(signals[which], NULL, &now);

    if (result != 0)
        return result;
    if (which == ON_TRAP)
        action.flags |= SA_NODEFER;
    if (is_own_action(&now))
        return 0;
    layer = layer_over(which, &now);
    behind[which][layer] = now;
    action.handler = (uintptr_t)handlers[layer];
    return sys_sigaction(signals[which], &action, NULL);
}

int trap_install(bool faults)
{
    int result = install(ON_TRAP);

    return result == 0 && (faults || layers[ON_FAULT] > 0) ? install(ON_FAULT) : result;
}

bool trap_is_taken(bool faults)
{
    struct sys_sigaction action;

    for (int which = 0; which < (faults ? SIGNALS : ON_FAULT); which++)
        if (sys_sigaction(signals[which], NULL, &action) != 0 || !is_own_action(&action))
            return false;
    return true;
}

bool trap_is_masked_by_a_handler(void)
{
    struct sys_sigaction action;

    for (int signal = 1; signal <= LAST_SIGNAL; signal++)
        if (sys_sigaction(signal, NULL, &action) == 0 && action.handler != (uintptr_t)SIG_DFL &&
            action.handler != (uintptr_t)SIG_IGN && !is_own_action(&action) &&
            (action.mask & SYS_SIGBIT(SIGTRAP)))
            return true;
    return false;
}
