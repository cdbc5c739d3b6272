/* ring.c - see ring.h. Fields are those of proc(5). */
#include "cli/session/ring.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/doorbell_value.h"
#include "cli/process/listens.h"
#include "cli/session/exec_window.h"

#ifndef SYS_epoll_wait /* later machines have epoll_pwait(2) alone: a number that no call has */
#define SYS_epoll_wait (-1002)
#endif

/* ms after which a forked child has executed its program. Counts for a program that calls execve(2) by an
 * instruction of its own, and for a command that may not write to the process's memory. */
#define YOUNG_MS 50

static bool has_signal(uint64_t mask, int number)
{
    return (mask >> (number - 1)) & 1;
}

/* A thread in rt_sigtimedwait(2) takes the signal as the host's own, though it is unblocked. */
static bool waits_for_signals(pid_t pid)
{
    struct process_call call;

    return process_call(pid, 0, &call) && call.number == SYS_rt_sigtimedwait;
}

/* Valgrind and qemu-user catch every signal, whatever the action of the program is that they run. Under valgrind the
 * shim has no handler, and the signal would end the program; qemu-user gives the program another number. */
static bool catches_for_another(const struct process *process)
{
    return !process->exe || process->emulated || strstr(process->exe, "/valgrind/");
}

static bool may_take(const struct process *process)
{
    return !catches_for_another(process) && process->state != 'T' && process->state != 't' &&
           process->state != 'Z';
}

/* Each real-time signal is queued, and they count against the user's RLIMIT_SIGPENDING. */
static bool has_pending(pid_t pid, pid_t tid, int number)
{
    uint64_t own, shared;

    return !process_mask(pid, tid, "SigPnd:", &own) || has_signal(own, number) ||
           !process_mask(pid, tid, "ShdPnd:", &shared) || has_signal(shared, number);
}

/* Return whether the main thread would run the handler at once. */
static bool can_take_now(const struct process *process, int number)
{
    uint64_t blocked;
    pid_t pid = process->pid;

    return may_take(process) && process_mask(pid, 0, "SigBlk:", &blocked) &&
           !has_signal(blocked, number) && !has_pending(pid, 0, number) && !waits_for_signals(pid);
}

/* Return whether the process catches the signal; if not, the signal would end it. Look after SigBlk: glibc's child of
 * posix_spawn(3) unblocks signals only when it catches none. */
static bool catches(const struct process *process, int number)
{
    return process_alive(process) && process_catches(process, number);
}

static int note_thread(pid_t tid, void *context)
{
    (void)tid;
    *(bool *)context = true;
    return 1;
}

static enum ring ring_listener(const struct process *process, pid_t listener, int number)
{
    if (!may_take(process) || has_pending(process->pid, listener, number))
        return RING_NOT_NOW;
    return syscall(SYS_tgkill, process->pid, listener, number) == 0 ? RING_LISTENER : RING_NOT_NOW;
}

static bool send(pid_t pid, int number, uint32_t flags)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)doorbell_value(flags);
    return syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info) == 0;
}

/* Ring the main thread of a process without threads of the shim. */
static enum ring ring_main_thread(const struct process *process, int number, uint32_t flags)
{
    struct exec_announcement announcement;
    bool asleep = exec_window_asleep(process->pid), young = process_age_ms(process) < YOUNG_MS;

    if (young && !asleep)
        return RING_NOT_NOW;
    switch (exec_window_close(process, &announcement)) {
    case EXEC_OPEN:
        return RING_NOT_NOW;
    case EXEC_UNKNOWN:
        if (young || !asleep)
            return RING_NOT_NOW;
        break;
    case EXEC_CLOSED:
        flags |= (uint32_t)announcement.ringing << DOORBELL_RINGING_SHIFT;
        break;
    }
    if (can_take_now(process, number) && catches(process, number) &&
        exec_window_holds(&announcement) && send(process->pid, number, flags)) {
        exec_window_sent(&announcement);
        return RING_THREAD;
    }
    exec_window_withdraw(&announcement);
    return RING_NOT_NOW;
}

enum ring ring(const struct process *process, int number, uint32_t flags)
{
    pid_t listener = process_listener(process->pid, number);
    bool has_threads = false;

    if (listener)
        return ring_listener(process, listener, number);
    process_shim_threads(process->pid, note_thread, &has_threads);
    if (has_threads || !can_take_now(process, number))
        return RING_NOT_NOW;
    return ring_main_thread(process, number, flags);
}

/* Return whether the main thread sleeps with a time limit in a call that libhotpatch_preload(7) lists as repeated in
 * full. The limit is the fourth parameter; -1 or NULL: none. In sigtimedwait(2) no thread is rung at all. */
static bool waits_for_whole_time(pid_t pid)
{
    static const long calls[] = {SYS_epoll_wait, SYS_epoll_pwait, 441 /* epoll_pwait2 */,
                                 SYS_semtimedop};
    struct process_call call;

    process_call(pid, 0, &call);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (call.number == calls[i])
            return i < 2 ? (int)call.fourth > 0 : call.fourth != 0;
    return false;
}

bool ring_later(const struct process *process, int number)
{
    return process_listener(process->pid, number) == 0 && waits_for_whole_time(process->pid);
}
