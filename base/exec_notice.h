/*
 * exec_notice.h - the protocol by which the command and the shim ensure that no signal comes during an execve(2).
 *
 * A real-time signal ends a program that does not catch it. Between the command's read of SigCgt and its signal, the
 * process may execute a program, which replaces the handler by the default action. The shim's memory has this record
 * to prevent that. The command finds the record by its magic in the writable mapping of the shim, and reads and
 * writes it by /proc/PID/mem. The process makes no system call for it.
 *
 *     command                                  shim, in each exec function (preload/interpose/exec.c)
 *     pid, then ringing = n (not 0)            executing += 1   (a locked instruction)
 *     executing == 0?  else not now            ringing == 0?    else the doorbell is ignored first
 *     SigCgt?          else not now            execve(2)
 *     rt_tgsigqueueinfo(2) with n
 *
 * Each side writes its word and then reads the other's, so at least one side sees the other's write. Either the
 * command does not ring, or the signal finds the handler or SIG_IGN, which execve(2) keeps. The library in the new
 * program reads SIG_IGN as this mark. It installs its handler, and the signal may still come, so for EXEC_NOTICE_MS
 * its own exec functions ignore the doorbell too. The command sends no signal later than that after its announcement.
 * A child that shares its parent's memory (vfork(2)) is not rung: the parent continues a little before such a child's
 * handlers are gone, and clears the child's count.
 *
 * The handler clears `ringing` if the signal carries the same n. Until then each exec ignores the doorbell. If a
 * command is killed in between, `ringing` stays set: this costs three system calls in each exec of this process, up
 * to the next ring.
 */
#ifndef HOTPATCH_EXEC_NOTICE_H
#define HOTPATCH_EXEC_NOTICE_H

#include <stdint.h>

#define EXEC_NOTICE_MS 1000
#define EXEC_NOTICE_MAGIC "hotpatch exec 1" /* 16 bytes with its NUL, at a multiple of 16 */

struct exec_notice {
    char magic[16];
    uint32_t pid;    /* pid of the rung process, by itself; a forked child has a copy */
    uint8_t ringing; /* by the command; 0: no ring announced. One byte: never half written */
    uint8_t unused[3];
    uint32_t
        executing; /* written by the shim: threads between the read of `ringing` and the end of an exec that fails */
    uint32_t unused2;
};

#endif
