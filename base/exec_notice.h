/*
 * exec_notice.h - how the command and the shim agree that no signal meets an execve(2).
 *
 * A real-time signal ends a program that does not catch it. Between the command's look at SigCgt and its
 * signal the process may execute a program, which makes the handler the default action. So the shim's
 * memory has this record. The command finds it by its magic in the writable mapping of the shim, and reads and
 * writes it by /proc/PID/mem; the process makes no system call for it.
 *
 *     command                                  shim, in each exec function (preload/interpose/exec.c)
 *     pid, then ringing = n (not 0)            executing += 1   (a locked instruction)
 *     executing == 0?  else not now            ringing == 0?    else the doorbell is ignored first
 *     SigCgt?          else not now            execve(2)
 *     rt_tgsigqueueinfo(2) with n
 *
 * Of two that write one word and then read the other's at least one sees what the other has written. So
 * either the command does not ring, or the signal finds the handler or SIG_IGN, which execve(2) keeps.
 * The library in the new program takes SIG_IGN for such a mark: it installs its handler, and the signal may
 * still come, so for EXEC_NOTICE_MS its own exec functions ignore the doorbell too. The command sends no signal
 * that late after it has announced it. A child that shares its parent's memory (vfork(2)) is not rung: a
 * parent goes on a little before such a child's handlers are gone, and clears what the child has counted.
 *
 * The handler clears `ringing` where the signal carries the same n: until then each exec ignores the doorbell.
 * Of a command that is killed in between, `ringing` stays: it costs three system calls in each exec of this
 * one process, up to the next ring.
 */
#ifndef HOTPATCH_EXEC_NOTICE_H
#define HOTPATCH_EXEC_NOTICE_H

#include <stdint.h>

#define EXEC_NOTICE_MS 1000
#define EXEC_NOTICE_MAGIC "hotpatch exec 1" /* with its NUL 16 bytes, at a multiple of 16 */

struct exec_notice {
    char magic[16];
    uint32_t pid; /* which process is rung, as it sees itself: a forked child has a copy of this */
    uint8_t ringing; /* command; 0: no ring is under way. One byte: it is never seen half written */
    uint8_t unused[3];
    uint32_t
        executing; /* shim: threads between the look at `ringing` and the end of an exec that fails */
    uint32_t unused2;
};

#endif
