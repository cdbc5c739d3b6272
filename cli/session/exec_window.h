/*
 * exec_window.h - the command's side of base/exec_notice.h: sends the doorbell only where no execve(2) can come
 * between the look at the process's handler and the signal.
 *
 * The record is read and written through /proc/PID/mem, for which the command needs what ptrace(2) needs
 * (PTRACE_MODE_ATTACH).
 */
#ifndef HOTPATCH_EXEC_WINDOW_H
#define HOTPATCH_EXEC_WINDOW_H

#include "cli/process/proc_facts.h"

enum exec_window {
    EXEC_CLOSED, /* announced: from now on each exec ignores the doorbell first */
    EXEC_OPEN,   /* not now: a thread executes a program, the process has its parent's memory, or
                  * another command rings it */
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
/* Return whether it is early enough for the signal; true where nothing is announced. */
bool exec_window_holds(const struct exec_announcement *announcement);
/* Close the memory after the signal was sent: the handler takes the announcement back. */
void exec_window_sent(struct exec_announcement *announcement);
/* Take the announcement back where no signal was sent. */
void exec_window_withdraw(struct exec_announcement *announcement);

/* Return whether each thread of the process sleeps in a call that executes no program; where /proc/PID/syscall
 * cannot be read, whether each thread sleeps. */
bool exec_window_asleep(pid_t pid);

#endif
