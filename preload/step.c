/*
 * step.c - see step.h.
 *
 * What is stepped is the host's own thread, so whatever could take it elsewhere is kept away: other signals
 * are blocked in the interrupted state (a handler of the host might leave by siglongjmp(3), or switch stacks,
 * and the flag would come back with an old state when SIGTRAP is the host's again), and of faults the
 * first one ends the stepping and is raised again by its instruction, for the host alone.
 *
 * A look at the whole stack takes some hundred system calls, so it is taken where it can have another result:
 * once the frame that was in the way has returned.
 */
#include "preload/step.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "base/proc_text.h"
#include "base/sigframe.h"
#include "base/state.h"
#include "base/step_instruction.h"
#include "base/step_string.h"
#include "base/sys.h"
#include "base/sys_signal.h"
#include "base/unwind.h"
#include "preload/engine.h"
#include "preload/own_stack.h"
#include "preload/safe_moment.h"

enum {
    STEPS_MAX = 4096,
    ABORTS_MAX = 4,      /* of rseq sections */
    LOOK_EVERY = 32,     /* steps, where no frame says when */
    OTHER_STACK = 65536, /* bytes: so far no call moves the stack pointer */
    SIGNAL_COUNT = 5,
    STATUS_BYTES = 2048
};

static const int signals[SIGNAL_COUNT] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

static struct {
    _Atomic bool active;
    unsigned steps, aborts;
    uint64_t until;     /* a look has another result once the stack pointer is there; 0: unknown */
    uint64_t last_look; /* the stack pointer then */
    bool safe;          /* what it said */
    sys_sigset mask;    /* the host's */
    int doorbell;
    void (*arrived)(void);
    struct sys_sigaction actions[SIGNAL_COUNT]; /* the host's */
} step STATE;

/* ---- may this thread be stepped? ---- */

/* A tracer would be shown each step as a SIGTRAP of the program's, and stop it there. A second thread would
 * meet SIGTRAP's action. */
static bool is_alone(void)
{
    static char text[STATUS_BYTES];

    const char *tracer;

    sys_read_file(AT_FDCWD, "/proc/thread-self/status", text, sizeof(text));
    tracer = proc_field(text, "TracerPid:");
    return *tracer == '0' && proc_number(tracer, 10) == 0 &&
           proc_number(proc_field(text, "Threads:"), 10) == 1;
}

static bool has_handler(const struct sys_sigaction *action)
{
    return action->handler != (uintptr_t)SIG_DFL && action->handler != (uintptr_t)SIG_IGN;
}

/* Of a child of fork(2) whose parent has entry slots the handler is the engine's. It is never called for a step:
 * the action is the shim's meanwhile. */
static bool is_the_engines(const struct sys_sigaction *action)
{
    struct unwind_object engine_object, object;

    return engine_loaded() && unwind_object((uintptr_t)engine(), &engine_object) &&
           unwind_object(action->handler, &object) && object.begin == engine_object.begin;
}

/* May SIGTRAP be taken for a while? */
static bool is_trap_free(const struct sys_sigaction *action)
{
    return action->handler == (uintptr_t)SIG_DFL || is_the_engines(action);
}

/* ---- the interrupted state ---- */

/* The kernel's part of uc_sigmask. */
static sys_sigset blocked_by_host(const ucontext_t *context)
{
    sys_sigset mask;

    memcpy(&mask, &context->uc_sigmask, sizeof(mask));
    return mask;
}

static void set_mask(ucontext_t *context, sys_sigset mask)
{
    memcpy(&context->uc_sigmask, &mask, sizeof(mask));
}

/* Around the program counter: what an aborted rseq section leaves before it, and the next instruction. */
struct code {
    uint32_t before;
    uint8_t bytes[STEP_INSTRUCTION_MAX];
    size_t size; /* of bytes */
};

/* One system call where all of it can be read: the page before or after may be missing. */
static struct code code_of_step(uint64_t pc)
{
    uint8_t around[sizeof(uint32_t) + STEP_INSTRUCTION_MAX];
    struct code code = {0};

    if (unwind_read(NULL, pc - sizeof(code.before), around, sizeof(around))) {
        memcpy(&code.before, around, sizeof(code.before));
        memcpy(code.bytes, around + sizeof(code.before), sizeof(code.bytes));
        code.size = sizeof(code.bytes);
        return code;
    }
    if (!unwind_read(NULL, pc - sizeof(code.before), &code.before, sizeof(code.before)))
        code.before = 0;
    for (code.size = sizeof(code.bytes); code.size > 0; code.size--)
        if (unwind_read(NULL, pc, code.bytes, code.size))
            break;
    return code;
}

/* Prepare the next instruction for the trap flag. False: it must not be executed with it. */
static bool may_go_on(ucontext_t *context, const struct code *code)
{
    if (step_instruction_is_the_kernels(sigframe_pc(context)) ||
        !step_instruction_may_trap(code->bytes, code->size))
        return false;
    step_string_shorten(context, code->bytes, code->size);
    return true;
}

/* ---- the steps ---- */

/* The actions that are set are the shim's: no instruction since was a system call. */
static void end(ucontext_t *context)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (i == 0 || has_handler(&step.actions[i]))
            sys_sigaction(signals[i], &step.actions[i], NULL);
    sigframe_step(context, false);
    set_mask(context, step.mask);
    atomic_store_explicit(&step.active, false, memory_order_release);
}

/* Can a look at the stack have another result than the last one? */
static bool is_worth_a_look(const ucontext_t *context, const struct code *code)
{
    uint64_t pointer = sigframe_sp(context);

    if (step.until == 0 ? step.steps % LOOK_EVERY == 0 : pointer >= step.until)
        return true;
    if (pointer + OTHER_STACK < step.last_look || step.last_look + OTHER_STACK < pointer)
        return true;
    return step_instruction_is_syscall(code->bytes, code->size);
}

static void look_there(void *context)
{
    step.safe = safe_moment(context, &step.until);
}

static bool look_at_step(ucontext_t *context)
{
    step.last_look = sigframe_sp(context);
    own_stack_call(look_there, context);
    return step.safe;
}

static void arrive_there(void *unused)
{
    (void)unused;
    step.arrived();
}

static void arrive(void)
{
    own_stack_call(arrive_there, NULL);
}

/* Rings that came meanwhile ask for what has just been tried: each would be tried again, one after the other. */
static void drop_rings(void)
{
    const sys_sigset ring = SYS_SIGBIT(step.doorbell);
    const struct timespec at_once = {0, 0};

    for (unsigned i = 0; i < STEPS_MAX; i++)
        if (sys_call4(SYS_rt_sigtimedwait, (long)&ring, 0, (long)&at_once, sizeof(ring)) < 0)
            return;
}

static void on_step(ucontext_t *context)
{
    struct code code = code_of_step(sigframe_pc(context));
    bool safe = is_worth_a_look(context, &code) && look_at_step(context);

    step.steps++;
    step.aborts += step_instruction_aborts(code.before);
    if (!safe && step.steps < STEPS_MAX && step.aborts < ABORTS_MAX && may_go_on(context, &code))
        return;
    end(context);
    if (safe)
        arrive();
    else
        drop_rings();
}

/* Not from a step: the host's. An instruction that faults is executed again after the return, and what
 * was sent is sent again: the host's action is in force then. */
static void pass_on(int signal, siginfo_t *info, ucontext_t *context)
{
    end(context);
    if (info->si_code <= 0 || signal == SIGTRAP)
        sys_call4(SYS_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), signal, (long)info);
}

static void step_handler(int signal, siginfo_t *info, void *context)
{
    if (signal == SIGTRAP && step_instruction_raised(info->si_code))
        on_step(context);
    else
        pass_on(signal, info, context);
}

/* Take the action of signals[i]. A fault uses the alternate stack if the host's handler does: the fault may be a
 * stack overflow, or a step's frame for which the stack has no room. A step does not: see doorbell.c. */
static void take_action(size_t i)
{
    const struct sys_sigaction action = {
        .handler = (uintptr_t)step_handler,
        .flags = SA_SIGINFO | SA_RESTORER | (i == 0 ? 0 : step.actions[i].flags & SA_ONSTACK),
        .restorer = sigframe_return,
        .mask = ~(SYS_FAULT_SIGNALS & ~SYS_SIGBIT(SIGTRAP)),
    };

    sys_sigaction(signals[i], &action, NULL);
}

/* Take SIGTRAP, and of the faults those that the host handles: the others end it as they would. */
static void begin_stepping(ucontext_t *context)
{
    step.mask = blocked_by_host(context);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (i == 0 || has_handler(&step.actions[i]))
            take_action(i);
    set_mask(context, step.mask | ~SYS_FAULT_SIGNALS);
    sigframe_step(context, true);
    atomic_store_explicit(&step.active, true, memory_order_release);
}

void step_begin(void *context_, int doorbell, void (*arrived)(void))
{
    ucontext_t *context = context_;
    struct code code = code_of_step(sigframe_pc(context));

    if (atomic_load_explicit(&step.active, memory_order_acquire) || sigframe_steps(context) ||
        (blocked_by_host(context) & SYS_FAULT_SIGNALS))
        return;
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (sys_sigaction(signals[i], NULL, &step.actions[i]) != 0)
            return;
    if (!is_trap_free(&step.actions[0]) || !is_alone())
        return;
    step.steps = step.aborts = 0;
    step.until = 0;
    step.doorbell = doorbell;
    step.arrived = arrived;
    if (look_at_step(context)) /* the call that was interrupted may be put back since */
        arrive();
    else if (may_go_on(context, &code))
        begin_stepping(context);
}
