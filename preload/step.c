/*
 * step.c - see step.h.
 *
 * The stepped thread belongs to the host. It must not leave the stepped code by another path:
 *
 *   - Other signals are blocked in the interrupted state. A handler of the host might leave by siglongjmp(3) or
 *     switch stacks; the trap flag would then return with an old state when SIGTRAP is the host's again.
 *   - The first fault ends the stepping. Its instruction raises the fault again, for the host's handler alone.
 *
 * Reading the whole stack takes some hundred system calls. The stack is therefore read only where the result can
 * differ from the last one: after the frame that prevented a safe moment has returned.
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
#include "preload/engine_lock.h"
#include "preload/own_stack.h"
#include "preload/safe_moment.h"

enum {
    STEPS_MAX = 4096,
    ABORTS_MAX = 4,      /* aborted rseq sections */
    LOOK_EVERY = 32,     /* steps between two reads of the stack, where step.until is 0 */
    OTHER_STACK = 65536, /* bytes; a larger move of the stack pointer is a change of stacks */
    SIGNAL_COUNT = 5,
    STATUS_BYTES = 2048
};

static const int signals[SIGNAL_COUNT] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

static struct {
    _Atomic bool active;
    unsigned steps, aborts;
    uint64_t until;     /* stack pointer from which the result can differ; 0: unknown */
    uint64_t last_look; /* stack pointer at the last read of the stack */
    bool safe;          /* result of the last read */
    sys_sigset mask;    /* signal mask of the host's thread */
    int doorbell;
    void (*arrived)(void);
    struct sys_sigaction actions[SIGNAL_COUNT]; /* the host's actions */
} step STATE;

/* ---- check whether this thread may be stepped ---- */

/* Return whether the process has one thread and no tracer. A tracer would see each step as a SIGTRAP of the program
 * and stop the program there. A second thread would run SIGTRAP's action. */
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

/* Return whether the handler lies in the engine, as in a child of fork(2) whose parent has entry slots. Steps do not
 * call the engine's handler, because the shim sets its own action meanwhile. */
static bool is_the_engines(const struct sys_sigaction *action)
{
    struct unwind_object engine_object, object;

    return engine_loaded() && unwind_object((uintptr_t)engine(), &engine_object) &&
           unwind_object(action->handler, &object) && object.begin == engine_object.begin;
}

/* Return whether the shim may replace SIGTRAP's action for the time of the steps. */
static bool is_trap_free(const struct sys_sigaction *action)
{
    return action->handler == (uintptr_t)SIG_DFL || is_the_engines(action);
}

/* ---- the interrupted state ---- */

/* Return the part of uc_sigmask that the kernel uses. */
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

/* The bytes around the program counter: those that an aborted rseq section has before it, and the next instruction. */
struct code {
    uint32_t before;
    uint8_t bytes[STEP_INSTRUCTION_MAX];
    size_t size; /* of bytes */
};

/* Read with one system call where all bytes are mapped. The page before or after may be missing. */
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

/* Prepare the next instruction for the trap flag. Return false if it must not be executed with the flag set. */
static bool may_go_on(ucontext_t *context, const struct code *code)
{
    if (step_instruction_is_the_kernels(sigframe_pc(context)) ||
        !step_instruction_may_trap(code->bytes, code->size))
        return false;
    step_string_shorten(context, code->bytes, code->size);
    return true;
}

/* ---- the steps ---- */

/* Put the host's actions back. The current actions are the shim's: no instruction since begin_stepping() was a system
 * call. */
static void end(ucontext_t *context)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        if (i == 0 || has_handler(&step.actions[i]))
            sys_sigaction(signals[i], &step.actions[i], NULL);
    sigframe_step(context, false);
    set_mask(context, step.mask);
    atomic_store_explicit(&step.active, false, memory_order_release);
}

/* Return whether a read of the stack can have another result than the last one. */
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

/* Discard pending rings. Each would repeat the steps that have just failed. */
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

/* Give the host a signal that no step has raised. An instruction that faults is executed again after the return. A
 * signal that was sent is sent again. The host's action is in force then. */
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

/* Replace the action of signals[i]. The handler of a fault uses the alternate stack if the host's handler does: the
 * fault may be a stack overflow, or the stack may have no space for a step's frame. The handler of a step does not
 * use it; see doorbell_handler.c. */
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

/* Replace the action of SIGTRAP and of those faults that the host handles. The other faults end the process, as
 * without the shim. */
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
    if (look_at_step(context)) /* the interrupted call may have been put back since */
        arrive();
    else if (may_go_on(context, &code))
        begin_stepping(context);
}
