/*
 * under_mask.h - a system call under the host's own signal mask, from inside of the doorbell's handler.
 *
 * While the call waits the host's handlers run, on top of the doorbell's frame. A signal that comes between
 * the opening of the mask and the call would be lost to the call, which a program may wait in for ever:
 * so the kernel's own trace of a handler that ran, its frame in memory below the stack pointer, is
 * looked for after the opening, inside a restartable sequence (rseq(2)), which the kernel leaves if a
 * signal comes.
 *
 * Signal handler of the doorbell, with all signals blocked: no libc, no lock.
 */
#ifndef HOTPATCH_UNDER_MASK_H
#define HOTPATCH_UNDER_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sys.h"

enum {
    UNDER_MASK_HANDLED = -10001, /* a handler ran before the call was made */
    UNDER_MASK_RUNG = -10002     /* the doorbell rang before there was a result */
};

struct under_mask {
    long number;
    long arguments[6];
    sys_sigset mask;    /* for the call; afterwards what it was at the end of the call */
    sys_sigset blocked; /* what is blocked again after it */
    bool rung; /* the doorbell rang as the call had a result, which may be short for that */
    /* Private, filled by under_mask_run(). */
    uint64_t *alternate; /* the top of the alternate signal stack, or NULL */
    uint64_t *section;   /* the thread's rseq_cs */
    uint64_t none;
};

/* Make the call. Its result, or one of the two above. */
long under_mask_run(struct under_mask *call);

/* Was under_mask_run() interrupted, before its call had a result? `context`: the handler's third argument. Where it
 * was interrupted with a result, `rung` is set. */
bool under_mask_interrupted(const void *context);

/*
 * Go back from the doorbell's handler that interrupted under_mask_run() into that call of it, which
 * returns UNDER_MASK_RUNG, and without sigreturn(2): the kernel still knows how long to wait, and however
 * often the doorbell rings, there is one frame of its handler.
 */
_Noreturn void under_mask_go_back(const void *context);

#endif
