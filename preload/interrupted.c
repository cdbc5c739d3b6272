/*
 * interrupted.c - see interrupted.h. x86-64.
 *
 * A call that a signal ended has its result in rax, -EINTR or how much it had moved, and the pc after the
 * instruction; where SA_RESTART applies the kernel has put the pc back to the instruction and the
 * number into rax before the handler runs. rcx tells that the instruction was executed: it
 * then has the address after it. The number of a call that ended is not recorded: it is read from
 * the code before the instruction (call_number.h). A call whose number is not found stays ended.
 *
 * restart_syscall(2) is called here and not after the return: sigreturn(2) forgets what is to be
 * restarted.
 */
#include "preload/interrupted.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <ucontext.h>

#include "base/call_number.h"
#include "base/call_site.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "base/under_mask.h"
#include "base/unwind.h"
#include "preload/by_number.h"
#include "preload/doorbell.h"
#include "preload/filters.h"
#include "preload/host_signals.h"
#include "preload/short_counts.h"
#include "preload/threads.h"

enum { SYSCALL_BYTES = 2, PAGE = 4096 };

/* Of an alternate stack, for the frame of another handler that may come while the call waits. */
enum { ROOM_MIN = 8192 };

enum fate {
    FATE_ENDS,    /* stays as the kernel ended it */
    FATE_RESTART, /* restart_syscall(2): for the rest of the time */
    FATE_AGAIN,   /* the same call again */
    FATE_KERNEL   /* the same call again, as the kernel restarts it under SA_RESTART */
};

/* ---- which call ---- */

/* FRED, a way into the kernel that newer processors have, leaves rcx alone. */
static bool instruction_sets_rcx(void)
{
    unsigned long rcx = 0;
    long result;

    __asm__ volatile("syscall" : "=a"(result), "+c"(rcx) : "0"(SYS_getpid) : "r11", "memory");
    return rcx != 0;
}

/* In rcx, which a system call changes: the doorbell's handler has decided that the call ends with EINTR. */
static greg_t mark_of_ended(greg_t pc)
{
    return ~pc;
}

/* Was the pc reached by the instruction before it? A call that ended by a signal of the host's, and that a
 * second ring meets after the first, stays ended: the signal is not pending any more. */
static bool is_after_system_call(const greg_t *registers)
{
    uint64_t pc = (uint64_t)registers[REG_RIP];

    if (registers[REG_RCX] == mark_of_ended(registers[REG_RIP]))
        return false;
    if ((uint64_t)registers[REG_RCX] == pc)
        return call_site_is_after_syscall(pc);
    return !instruction_sets_rcx() && registers[REG_RAX] == -EINTR &&
           call_site_is_after_syscall(pc);
}

/* Has the kernel put the pc back to an instruction that was executed? One that is yet to be executed has
 * nothing to go on with. */
static bool is_before_call(const greg_t *registers)
{
    uint64_t pc = (uint64_t)registers[REG_RIP];

    return ((uint64_t)registers[REG_RCX] == pc + SYSCALL_BYTES || !instruction_sets_rcx()) &&
           call_site_is_syscall(pc);
}

/* The number that the code before the instruction at `pc` loads; -1: not found. */
static long number_before(uint64_t pc, const greg_t *registers)
{
    uint64_t page = pc & ~(uint64_t)(PAGE - 1), from = pc - CALL_NUMBER_BYTES;
    uint8_t code[CALL_NUMBER_BYTES];

    if (pc == (uintptr_t)by_number_here || pc == (uintptr_t)sys_call_here)
        return *(const long *)(uintptr_t)(registers[REG_RSP] - 8);
    if (!unwind_read(NULL, from, code, sizeof(code))) {
        from = page; /* the page before it is no code of this function */
        if (pc - from > sizeof(code) || !unwind_read(NULL, from, code, pc - from))
            return -1;
    }
    return call_number(code, pc - from);
}

/* ---- what becomes of it ---- */

static bool has_timeout(long fd, int option)
{
    struct timeval time = {0, 0};
    socklen_t size = sizeof(time);

    /* Of a filter that ends the process for the question the call stays ended. */
    return filters_let(SYS_getsockopt) &&
           sys_call(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&time, (long)&size, 0) == 0 &&
           (time.tv_sec != 0 || time.tv_usec != 0);
}

/* futex(2): of its operations those that wait for a time alone. */
static bool futex_waits_for_time(const greg_t *registers)
{
    int operation = (int)registers[REG_RSI] & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

    return registers[REG_R10] != 0 && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET);
}

/* Of a call that has ended with EINTR although the doorbell has SA_RESTART. */
static enum fate fate_of_ended(long number, const greg_t *registers)
{
    switch (number) {
    case SYS_restart_syscall: /* of a stop before, signal(7) */
    case SYS_poll:
    case SYS_nanosleep:
        return FATE_RESTART;
    case SYS_futex:
        return futex_waits_for_time(registers) ? FATE_RESTART : FATE_ENDS;
    case SYS_clock_nanosleep:
        return registers[REG_RSI] & TIMER_ABSTIME ? FATE_AGAIN : FATE_RESTART;
    case SYS_select: /* to ppoll: with the rest of the time, which the kernel wrote back */
    case SYS_pselect6:
    case SYS_ppoll:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case 441: /* epoll_pwait2 */
    case SYS_rt_sigtimedwait:
    case SYS_rt_sigsuspend:
    case SYS_pause:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_io_getevents:
    case 333: /* io_pgetevents */
        return FATE_AGAIN;
    case SYS_read: /* of a socket with a time limit; else the EINTR is not the doorbell's */
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
        return has_timeout(registers[REG_RDI], SO_RCVTIMEO) ? FATE_AGAIN : FATE_ENDS;
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
        return has_timeout(registers[REG_RDI], SO_SNDTIMEO) ? FATE_AGAIN : FATE_ENDS;
    default: /* connect, io_uring_enter, a number that was not found ... */
        return FATE_ENDS;
    }
}

/* Those that a handler without SA_RESTART ends, and that may wait long. */
static bool may_wait(long number)
{
    static const short numbers[] = {
        SYS_read,     SYS_readv,           SYS_write,        SYS_writev,  SYS_recvfrom,
        SYS_recvmsg,  SYS_recvmmsg,        SYS_accept,       SYS_accept4, SYS_sendto,
        SYS_sendmsg,  SYS_sendmmsg,        SYS_wait4,        SYS_waitid,  SYS_futex,
        SYS_flock,    SYS_fcntl,           SYS_open,         SYS_openat,  SYS_connect,
        SYS_ioctl,    SYS_mq_timedreceive, SYS_mq_timedsend, SYS_splice,  SYS_tee,
        SYS_vmsplice, SYS_sendfile,        SYS_getrandom,    SYS_preadv2, SYS_pwritev2,
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* ---- going on ---- */

static sys_sigset mask_in_context(const ucontext_t *context)
{
    sys_sigset mask;

    memcpy(&mask, &context->uc_sigmask, sizeof(mask));
    return mask;
}

/* Is there room on the stack for another handler's frame, which would not be there without this call? An
 * alternate stack may be as small as its own frame. */
static bool has_room(const ucontext_t *context)
{
    const stack_t *stack = &context->uc_stack;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), base = (uintptr_t)stack->ss_sp;

    if (stack->ss_flags & SS_DISABLE || here < base || here - base >= stack->ss_size)
        return true;
    return here - base >= ROOM_MIN;
}

static void call_from(struct under_mask *call, const ucontext_t *context, long number)
{
    static const int order[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};

    *call = (struct under_mask){
        .number = number, .mask = mask_in_context(context), .blocked = ~DOORBELL_OPEN_SIGNALS};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        call->arguments[i] = (long)context->uc_mcontext.gregs[order[i]];
}

/*
 * Make the call under the host's mask, and with the doorbell blocked where the listener exists. A ring that
 * pends while a handler of the host's runs would else meet the call after that handler has ended it, and
 * the call would be made again. The listener takes kill(2)'s rings meanwhile.
 */
static long call_once(struct under_mask *call, int doorbell)
{
    sys_sigset blocked = threads_made() ? SYS_SIGBIT(doorbell) & ~call->mask : 0;
    long result;

    call->mask |= blocked;
    result = under_mask_run(call);
    call->mask &= ~blocked;
    return result;
}

/* Make the call until it has a result. A signal of `ending` ends it. */
static long make_call(struct under_mask *call, sys_sigset ending, int doorbell)
{
    long result;

    do {
        if (sys_sigpending() & ending & ~call->mask)
            return -EINTR;
        result = call_once(call, doorbell);
    } while (result == UNDER_MASK_RUNG);
    return result == UNDER_MASK_HANDLED ? -EINTR : result;
}

/* The call has moved bytes, and the doorbell rang: so does another with the rest, as long as each moves all, or
 * is rung at too. How much they have moved. */
static long move_rest(struct under_mask *call, long moved, sys_sigset handled, int doorbell)
{
    struct under_mask rest = *call;
    long more, size;

    do {
        if (!short_counts_rest(call, moved, &rest, &size))
            break;
        more = make_call(&rest, handled, doorbell);
        moved += more > 0 ? more : 0;
    } while (more > 0 && (more == size || rest.rung));
    call->mask = rest.mask;
    return moved;
}

/* The call is over, with that result. */
static void set_result(ucontext_t *context, uint64_t instruction, const struct under_mask *call,
                       long result)
{
    greg_t *registers = context->uc_mcontext.gregs;

    registers[REG_RIP] = (greg_t)(instruction + SYSCALL_BYTES);
    registers[REG_RCX] = result == -EINTR ? mark_of_ended(registers[REG_RIP]) : registers[REG_RIP];
    registers[REG_RAX] = (greg_t)result;
    memcpy(&context->uc_sigmask, &call->mask,
           sizeof(call->mask)); /* a handler may have changed it */
}

/* The host makes the call itself, when the handler has returned. */
static void put_back(ucontext_t *context, uint64_t instruction, long number)
{
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)instruction;
    context->uc_mcontext.gregs[REG_RAX] = (greg_t)number;
}

static void go_on(ucontext_t *context, uint64_t instruction, long number, enum fate fate,
                  int doorbell)
{
    struct host_signals signals;
    struct under_mask call;
    sys_sigset ending;
    long result;

    host_signals_read(&signals, doorbell);
    ending = fate == FATE_KERNEL ? signals.ending : signals.handled;
    call_from(&call, context, number);
    if (sys_sigpending() & ending & ~call.mask) {
        set_result(context, instruction, &call, -EINTR);
        return;
    }
    /* Nothing can end it while the handler returns; or it cannot be waited for here. */
    if ((fate != FATE_RESTART && !(ending & ~call.mask)) || !has_room(context)) {
        put_back(context, instruction, number);
        return;
    }
    if (fate == FATE_RESTART)
        call.number = SYS_restart_syscall;
    result = make_call(&call, ending, doorbell);
    if (result > 0 && call.rung)
        result = move_rest(&call, result, signals.handled, doorbell);
    set_result(context, instruction, &call, result);
}

static void finish_count(ucontext_t *context, uint64_t instruction, long number, int doorbell)
{
    long moved = (long)context->uc_mcontext.gregs[REG_RAX], size;
    struct host_signals signals;
    struct under_mask call, rest;

    call_from(&call, context, number);
    if (!short_counts_rest(&call, moved, &rest, &size) || !has_room(context))
        return;
    host_signals_read(&signals, doorbell);
    set_result(context, instruction, &call, move_rest(&call, moved, signals.handled, doorbell));
}

static void after_call(ucontext_t *context, int doorbell)
{
    const greg_t *registers = context->uc_mcontext.gregs;
    uint64_t instruction = (uint64_t)registers[REG_RIP] - SYSCALL_BYTES;
    enum fate fate;
    long number;

    if (registers[REG_RAX] != -EINTR && registers[REG_RAX] <= 0)
        return;
    number = number_before(instruction, registers);
    if (registers[REG_RAX] > 0) {
        finish_count(context, instruction, number, doorbell);
        return;
    }
    fate = fate_of_ended(number, registers);
    if (fate != FATE_ENDS)
        go_on(context, instruction, number, fate, doorbell);
}

void interrupted_go_on(void *context_, int doorbell)
{
    ucontext_t *context = context_;
    const greg_t *registers = context->uc_mcontext.gregs;

    if (under_mask_interrupted(registers))
        under_mask_go_back((uint64_t)registers[REG_RSP]);
    if (is_after_system_call(registers))
        after_call(context, doorbell);
    else if (is_before_call(registers) && may_wait((long)registers[REG_RAX]))
        go_on(context, (uint64_t)registers[REG_RIP], (long)registers[REG_RAX], FATE_KERNEL,
              doorbell);
}
