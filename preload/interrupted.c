/*
 * interrupted.c - see interrupted.h.
 *
 * A call that a signal ended stays ended if its number is not found.
 *
 * restart_syscall(2) is called here and not after the return, because sigreturn(2) discards the kernel's restart
 * data.
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

#include "base/interrupted_call.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "base/under_mask.h"
#include "preload/doorbell.h"
#include "preload/filters.h"
#include "preload/host_signals.h"
#include "preload/short_counts.h"
#include "preload/threads.h"

/* bytes of an alternate stack that must be free: another handler may come while the call waits, and needs a frame */
enum { ROOM_MIN = 8192 };

enum fate {
    FATE_ENDS,    /* the call stays as the kernel ended it */
    FATE_RESTART, /* restart_syscall(2), for the rest of the time */
    FATE_AGAIN,   /* make the same call again */
    FATE_KERNEL   /* make the same call again, as the kernel does under SA_RESTART */
};

/* ---- how the call continues ---- */

static bool has_timeout(long fd, int option)
{
    struct timeval time = {0, 0};
    socklen_t size = sizeof(time);

    /* Where a filter ends the process for getsockopt(2), the call stays ended. */
    return filters_let(SYS_getsockopt) &&
           sys_call(SYS_getsockopt, fd, SOL_SOCKET, option, (long)&time, (long)&size, 0) == 0 &&
           (time.tv_sec != 0 || time.tv_usec != 0);
}

/* Return whether this operation of futex(2) only waits for a time. */
static bool futex_waits_for_time(const long arguments[6])
{
    int operation = (int)arguments[1] & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

    return arguments[3] != 0 && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET);
}

/* Return how a call continues that ended with EINTR although the doorbell has SA_RESTART. */
static enum fate fate_of_ended(long number, const long arguments[6])
{
    switch (number) {
    case SYS_restart_syscall: /* after an earlier stop, signal(7) */
    case SYS_poll:
    case SYS_nanosleep:
        return FATE_RESTART;
    case SYS_futex:
        return futex_waits_for_time(arguments) ? FATE_RESTART : FATE_ENDS;
    case SYS_clock_nanosleep:
        return arguments[1] & TIMER_ABSTIME ? FATE_AGAIN : FATE_RESTART;
    case SYS_select: /* to ppoll: the kernel wrote the rest of the time back */
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
    case SYS_read: /* a socket with a time limit; else the doorbell did not cause the EINTR */
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
        return has_timeout(arguments[0], SO_RCVTIMEO) ? FATE_AGAIN : FATE_ENDS;
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
        return has_timeout(arguments[0], SO_SNDTIMEO) ? FATE_AGAIN : FATE_ENDS;
    default: /* connect, io_uring_enter, or an unknown number */
        return FATE_ENDS;
    }
}

/* Return whether a handler without SA_RESTART ends this call, and the call may wait long. */
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

/* ---- continue the call ---- */

static sys_sigset mask_in_context(const ucontext_t *context)
{
    sys_sigset mask;

    memcpy(&mask, &context->uc_sigmask, sizeof(mask));
    return mask;
}

/* Return whether the stack has space for another handler's frame, which would not be there without this call. An
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
    *call = (struct under_mask){
        .number = number, .mask = mask_in_context(context), .blocked = ~DOORBELL_OPEN_SIGNALS};
    interrupted_call_arguments(context, call->arguments);
}

/*
 * Make the call under the host's mask, with the doorbell blocked where the listener exists. Otherwise a ring that is
 * pending while a handler of the host runs would interrupt the call after that handler has ended it, and the call
 * would be made again. The listener takes the rings of kill(2) meanwhile.
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

/* Make the call until it has a result. A signal in `ending` ends the call. */
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

/* Make the call again with the rest after it has moved bytes and the doorbell rang. Repeat as long as each call moves
 * all its bytes, or is interrupted by a ring too. Return how many bytes were moved. */
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

/* Put the result of the finished call into the context. */
static void set_result(ucontext_t *context, uint64_t instruction, const struct under_mask *call,
                       long result)
{
    interrupted_call_set_result(context, instruction, result);
    memcpy(&context->uc_sigmask, &call->mask,
           sizeof(call->mask)); /* a handler may have changed the mask */
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
    /* No signal can end the call while the handler returns; or the call cannot wait here. */
    if ((fate != FATE_RESTART && !(ending & ~call.mask)) || !has_room(context)) {
        interrupted_call_put_back(context, instruction, number);
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
    long moved = interrupted_call_result(context), size;
    struct host_signals signals;
    struct under_mask call, rest;

    call_from(&call, context, number);
    if (!short_counts_rest(&call, moved, &rest, &size) || !has_room(context))
        return;
    host_signals_read(&signals, doorbell);
    set_result(context, instruction, &call, move_rest(&call, moved, signals.handled, doorbell));
}

static void after_call(ucontext_t *context, uint64_t instruction, int doorbell)
{
    long result = interrupted_call_result(context), number, arguments[6];
    enum fate fate;

    if (result != -EINTR && result <= 0)
        return;
    number = interrupted_call_number_before(context, instruction);
    if (result > 0) {
        finish_count(context, instruction, number, doorbell);
        return;
    }
    interrupted_call_arguments(context, arguments);
    fate = fate_of_ended(number, arguments);
    if (fate != FATE_ENDS)
        go_on(context, instruction, number, fate, doorbell);
}

void interrupted_go_on(void *context, int doorbell)
{
    uint64_t instruction;

    if (under_mask_interrupted(context))
        under_mask_go_back(context);
    if (interrupted_call_is_over(context, &instruction))
        after_call(context, instruction, doorbell);
    else if (interrupted_call_is_again(context, &instruction) &&
             may_wait(interrupted_call_number(context)))
        go_on(context, instruction, interrupted_call_number(context), FATE_KERNEL, doorbell);
}
