/*
 * exec_window.h - the command's half of base/exec_notice.h: whether a process can be sent the doorbell with
 * no execve(2) between the look at its handler and the signal.
 *
 * By /proc/PID/mem, for which the command needs what ptrace(2) needs (PTRACE_MODE_ATTACH).
 */
#ifndef HOTPATCH_EXEC_WINDOW_H
#define HOTPATCH_EXEC_WINDOW_H

#include "cli/process/proc_facts.h"

enum exec_window {
    EXEC_CLOSED, /* announced: each exec from now on ignores the doorbell first */
    EXEC_OPEN, /* not now: a thread of it executes a program, it has its parent's memory, or another
                  * command rings it */
    EXEC_UNKNOWN /* its memory cannot be read and written, or has no record: another version of the shim */
};

struct exec_announcement {
    int memory;      /* holds the lock that keeps other commands out; -1: nothing announced */
    uint64_t record; /* its address there */
    uint64_t since;  /* ms */
    uint8_t ringing; /* what the signal has to carry */
};

/* Announce a ring. After EXEC_CLOSED exec_window_sent() or exec_window_withdraw() is to be called. */
enum exec_window exec_window_close(const struct process *process,
                                   struct exec_announcement *announcement);
/* Is it early enough for the signal? Nothing announced: yes. */
bool exec_window_holds(const struct exec_announcement *announcement);
/* The signal is under way: the handler takes the announcement back. */
void exec_window_sent(struct exec_announcement *announcement);
/* No signal was sent. */
void exec_window_withdraw(struct exec_announcement *announcement);

/* Is each thread of the process asleep in a call that executes no program? Where /proc/PID/syscall cannot
 * be read: is it asleep at all? */
bool exec_window_asleep(pid_t pid);

#endif
