/*
 * thread_scan.h - the other threads of the process, while code is changed under them: which of them could not survive
 * a trap, which are seen outside a range of code, and how the others are made to leave it.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. What is seen of a
 * thread in /proc is true of a moment that has passed; each function says what follows from it.
 * No libc, no allocation but of pages: a function of libc may be what is changed.
 */
#ifndef HOTPATCH_THREAD_SCAN_H
#define HOTPATCH_THREAD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct scanned_thread {
    pid_t entry;      /* its number in /proc, which may be one of an outer pid namespace */
    pid_t tid;        /* for system calls */
    bool untrappable; /* blocks SIGTRAP or SIGILL, or is traced (gdb does not pass SIGTRAP on) */
    bool waits;       /* asleep where signals do not wake it: it may be inside vfork(2) */
    bool forks; /* seen there: a child of its runs in our memory, and is in no list of threads */
    bool out;   /* seen outside */
    uint64_t switches; /* how often it has left a processor */
};

struct thread_scan {
    struct scanned_thread *threads; /* pages that are used again, never unmapped */
    size_t count, untrappable;
};

/* List all threads of the process except the calling one. 0, or -errno: /proc cannot be read. */
int thread_scan_look(struct thread_scan *scan);
/* Is one of them scheduled in real time? A jump to itself would keep it on its processor for ever. */
bool thread_scan_has_realtime(const struct thread_scan *scan);
/* Are the untrappable ones asleep with their PC outside `begin` (exclusive) to `end`, or gone, and is no thread
 * inside vfork(2) or its like? The number of switches of each untrappable thread is recorded. NULL: all are; else one
 * that is not. */
const struct scanned_thread *thread_scan_asleep_outside(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end);
/* While the entry is held: the same of those in the list that have not been seen to be no hindrance, and of those
 * that are not in it. Who blocks no trap now will not do so before it has left. `scan` is empty at
 * first. */
const struct scanned_thread *thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                 uintptr_t end);
/* Have those not run since? */
bool thread_scan_has_slept_on(const struct thread_scan *scan, uintptr_t begin, uintptr_t end);
/* Wait until no thread is between `begin` and `end`, both exclusive, nor may come back there from a signal
 * handler: a thread that sleeps is examined; a thread that runs and is not untrappable is asked, and goes on in the
 * relocated prologue. What holds the entry keeps others from coming in. 0; -ETIMEDOUT, of *who; -errno. */
int thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end, uint64_t until,
                         pid_t *who);
/* Is every other thread asleep, with its PC and all words of its stack outside `begin` to `end`? No new
 * call can lead there. False: it is not known. Takes no signal. */
bool thread_scan_has_left(uintptr_t begin, uintptr_t end);
/* Its name, "?" if it is gone. */
void thread_scan_name(pid_t entry, char name[32]);

#endif
