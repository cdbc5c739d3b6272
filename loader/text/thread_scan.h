/*
 * thread_scan.h - the other threads of the process, while code is changed: which threads could not survive a trap,
 * which are seen outside a range of code, and how the other threads are made to leave it.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. What /proc shows of a
 * thread was true at a past moment; each function says what follows from it. No libc, and no allocation but of pages:
 * the function that changes may be a function of libc.
 */
#ifndef HOTPATCH_THREAD_SCAN_H
#define HOTPATCH_THREAD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct scanned_thread {
    /* the thread's number in /proc, which may be the number of an outer pid namespace */
    pid_t entry;
    pid_t tid;        /* the thread's number for system calls */
    bool untrappable; /* blocks SIGTRAP or SIGILL, or is traced (gdb does not pass SIGTRAP on) */
    bool waits;       /* asleep, and signals do not wake it: the thread may be inside vfork(2) */
    /* seen inside vfork(2): a child runs in the process's memory, and is in no list of threads */
    bool forks;
    bool out;          /* seen outside, or no hindrance */
    uint64_t switches; /* how often the thread has left a processor */
};

struct thread_scan {
    struct scanned_thread *threads; /* pages that are used again and never unmapped */
    size_t count, untrappable;
};

/* List all threads of the process except the calling one. Return 0, or -errno if /proc cannot be read. */
int thread_scan_look(struct thread_scan *scan);
/* Return whether a listed thread has a real-time policy. A jump to itself would keep such a thread on its processor for
 * ever. */
bool thread_scan_has_realtime(const struct thread_scan *scan);
/* Return NULL if each untrappable thread is gone, or asleep with its PC outside `begin` (exclusive) to `end`, and no
 * thread is inside vfork(2) or a similar call. Else return a thread that is not. The number of switches of each
 * untrappable thread is recorded. */
const struct scanned_thread *thread_scan_asleep_outside(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end);
/* Check, while the entry is held, the threads of the list whose `out` is false, and the threads that are not in the
 * list. The conditions are those of thread_scan_asleep_outside(). A thread that does not block the traps now will not
 * block them before it has left. `scan` is empty at the first call. */
const struct scanned_thread *thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                 uintptr_t end);
/* Return whether the untrappable threads have not run since thread_scan_asleep_outside(). */
bool thread_scan_has_slept_on(const struct thread_scan *scan, uintptr_t begin, uintptr_t end);
/* Wait until no thread is between `begin` and `end`, both exclusive, or may come back there from a signal handler. A
 * thread that sleeps is examined. A thread that runs and is not untrappable is asked, and continues in the relocated
 * prologue. The held entry keeps other threads outside. Return 0; -ETIMEDOUT with the thread in `*who`; -errno. */
int thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end, uint64_t until,
                         pid_t *who);
/* Return whether every other thread is asleep, with its PC and all words of its stack outside `begin` to `end`. No new
 * call can lead there. Return false if that is not known. Sends no signal. */
bool thread_scan_has_left(uintptr_t begin, uintptr_t end);
/* Return whether the thread sleeps in a system call, and with which PC and SP. */
bool thread_scan_sleeps(pid_t entry, uintptr_t *pc, uintptr_t *sp);
/* Return whether the thread runs, or is to run: not if it is gone, or sleeps. */
bool thread_scan_runs(pid_t entry);
/* Write the thread's name to `name`; "?" if the thread is gone. */
void thread_scan_name(pid_t entry, char name[32]);

#endif
