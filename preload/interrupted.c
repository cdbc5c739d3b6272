/*
 * interrupted.c - see interrupted.h. x86-64.
 *
 * A call that a signal ended has its result, -EINTR, in rax, and the pc after the instruction; where
 * SA_RESTART applies the kernel has put the pc back to the instruction and the number into rax
 * before the handler runs. Which call ended is not recorded: the number is read from the code before the
 * instruction, where libc loads it. A call whose number is not found stays ended.
 *
 * restart_syscall(2) is called here and not after the return: sigreturn(2) forgets what is to be
 * restarted. Meanwhile the host's own mask is in force, and its handlers run. The doorbell is blocked too
 * once there is a listener, to which the kernel then gives it: each further ring would lie upon the
 * one before.
 */
#include "interrupted.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "base/unwind.h"
#include "sys.h"

enum { LOOK_BACK = 40, SYSCALL_BYTES = 2, MOVE_BYTES = 5 };

enum fate {
    FATE_ENDS,    /* stays as the kernel ended it */
    FATE_RESTART, /* restart_syscall(2) */
    FATE_AGAIN    /* the instruction is executed again */
};

static bool is_syscall(const uint8_t *code)
{
    return code[0] == 0x0f && code[1] == 0x05;
}

/* How long the instruction at `code` is, if it is one that a libc puts between the number and the
 * call: a move or an xor of general registers, a load or a store relative to rsp, an lea. 0: another. */
static size_t plain_length(const uint8_t *code, size_t room)
{
    size_t at = room > 0 && (code[0] & 0xf0) == 0x40 ? 1 : 0;
    uint8_t opcode, modrm;

    if (at + 2 > room)
        return 0;
    opcode = code[at];
    modrm = code[at + 1];
    if (opcode != 0x89 && opcode != 0x8b && opcode != 0x31 && opcode != 0x33 && opcode != 0x8d)
        return 0;
    if (modrm >> 6 == 3)
        return opcode == 0x8d ? 0 : at + 2;
    if ((modrm & 7) != 4)
        return modrm >> 6 == 1 ? at + 3 : modrm >> 6 == 2 ? at + 6 : 0;
    return modrm >> 6 == 1 ? at + 4 : modrm >> 6 == 2 ? at + 7 : at + 3;
}

/* Is nothing but such instructions between `from` and `to`? */
static bool is_plain(const uint8_t *from, const uint8_t *to)
{
    while (from < to) {
        size_t length = plain_length(from, (size_t)(to - from));

        if (length == 0)
            return false;
        from += length;
    }
    return from == to;
}

/* The number that `mov $number, %eax` loads before the instruction at `pc`; -1: not found. */
static long number_before(uint64_t pc)
{
    uint8_t code[LOOK_BACK];
    uint32_t number;

    if (!unwind_read(NULL, pc - LOOK_BACK, code, sizeof(code)))
        return -1;
    for (size_t at = LOOK_BACK - MOVE_BYTES; at + 1 > 0; at--) {
        if (code[at] == 0xb8 && is_plain(code + at + MOVE_BYTES, code + LOOK_BACK)) {
            memcpy(&number, code + at + 1, sizeof(number));
            return number < 1024 ? (long)number : -1;
        }
        if (at == 0)
            break;
    }
    return -1;
}

static enum fate fate_of(long number, const greg_t *registers)
{
    switch (number) {
    case SYS_restart_syscall: /* of a ring before */
    case SYS_poll:
    case SYS_nanosleep:
    case SYS_futex:
        return FATE_RESTART;
    case SYS_clock_nanosleep:
        return registers[REG_RSI] & TIMER_ABSTIME ? FATE_AGAIN : FATE_RESTART;
    case SYS_select:
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
    /* Under SO_RCVTIMEO or SO_SNDTIMEO; else the kernel restarts them. */
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
        return FATE_AGAIN;
    default:
        return FATE_ENDS;
    }
}

/* Those that a handler without SA_RESTART ends, and that may wait long. */
static bool ends_without_restart(long number)
{
    static const short numbers[] = {
        SYS_read,    SYS_readv,           SYS_write,        SYS_writev,  SYS_recvfrom,
        SYS_recvmsg, SYS_recvmmsg,        SYS_accept,       SYS_accept4, SYS_sendto,
        SYS_sendmsg, SYS_sendmmsg,        SYS_wait4,        SYS_waitid,  SYS_futex,
        SYS_flock,   SYS_fcntl,           SYS_open,         SYS_openat,  SYS_connect,
        SYS_ioctl,   SYS_mq_timedreceive, SYS_mq_timedsend, SYS_splice,  SYS_tee,
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* The kernel's own (arch/x86/include/uapi/asm/signal.h); glibc's has other members in another order. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    sys_sigset mask;
};

/* Would one of these signals end a call that SA_RESTART restarts? One that is ignored ends none. */
static bool one_ends_calls(sys_sigset pending)
{
    struct kernel_action action;

    for (int signal = 1; signal <= 64; signal++) {
        if (!(pending & SYS_SIGBIT(signal)) ||
            sys_call4(SYS_rt_sigaction, signal, 0, (long)&action, sizeof(action.mask)) != 0)
            continue;
        if (action.handler != SIG_IGN && !(action.flags & SA_RESTART))
            return true;
    }
    return false;
}

static sys_sigset mask_of(const ucontext_t *context)
{
    sys_sigset mask;

    memcpy(&mask, &context->uc_sigmask, sizeof(mask));
    return mask;
}

/* Signals that the host would take as soon as the handler returns; the doorbell is none of its own. */
static sys_sigset pending_for_host(const ucontext_t *context, int doorbell)
{
    sys_sigset pending = 0;

    if (sys_call3(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0) != 0)
        return 0;
    return pending & ~mask_of(context) & ~SYS_SIGBIT(doorbell);
}

/* The waiting is done here, under the host's mask; then the call has its result. */
static void restart(ucontext_t *context, sys_sigset blocked)
{
    const sys_sigset mask = mask_of(context) | blocked, all = ~UINT64_C(0);
    long result;

    sys_sigprocmask(SIG_SETMASK, &mask, NULL);
    result = sys_call3(SYS_restart_syscall, 0, 0, 0);
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    context->uc_mcontext.gregs[REG_RAX] = (greg_t)result;
}

static void after_call(ucontext_t *context, int doorbell, bool once)
{
    greg_t *registers = context->uc_mcontext.gregs;
    long number = number_before((uint64_t)registers[REG_RIP] - SYSCALL_BYTES);
    enum fate fate = fate_of(number, registers);

    if (fate == FATE_ENDS || pending_for_host(context, doorbell))
        return;
    if (fate == FATE_RESTART) {
        restart(context, once ? SYS_SIGBIT(doorbell) : 0);
        return;
    }
    registers[REG_RIP] -= SYSCALL_BYTES;
    registers[REG_RAX] = (greg_t)number;
}

static void before_call(ucontext_t *context, int doorbell)
{
    greg_t *registers = context->uc_mcontext.gregs;

    if (!ends_without_restart((long)registers[REG_RAX]) ||
        !one_ends_calls(pending_for_host(context, doorbell)))
        return;
    registers[REG_RIP] += SYSCALL_BYTES;
    registers[REG_RAX] = -EINTR;
}

void interrupted_go_on(void *context, int doorbell, bool once)
{
    ucontext_t *interrupted = context;
    uint64_t pc = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
    uint8_t code[SYSCALL_BYTES];

    if (interrupted->uc_mcontext.gregs[REG_RAX] == -EINTR &&
        unwind_read(NULL, pc - SYSCALL_BYTES, code, sizeof(code)) && is_syscall(code))
        after_call(interrupted, doorbell, once);
    else if (unwind_read(NULL, pc, code, sizeof(code)) && is_syscall(code))
        before_call(interrupted, doorbell);
}
