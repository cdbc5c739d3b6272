/*
 * under_mask.h - a system call under the host's own signal mask, from inside the doorbell's handler.
 *
 * While the call waits, the host's handlers run, on top of the doorbell's frame. A signal that comes after the mask
 * is opened and before the call would not interrupt the call, and a program may wait in the call for ever. After the
 * mask is opened, the code therefore looks for the trace of a handler that ran: its frame in memory below the stack
 * pointer. This is done inside a restartable sequence (rseq(2)), which the kernel aborts if a signal comes.
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
    UNDER_MASK_RUNG = -10002     /* the doorbell rang before the call had a result */
};

struct under_mask {
    long number;
    long arguments[6];
    sys_sigset mask;    /* for the call; afterwards the mask at the end of the call */
    sys_sigset blocked; /* the mask that is set again after the call */
    bool rung; /* the doorbell rang after the call had a result, which may be short because of it */
    /* Private, filled by under_mask_run(). */
    uint64_t *alternate; /* the top of the alternate signal stack, or NULL */
    uint64_t *section;   /* the thread's rseq_cs */
    uint64_t none;
};

/* Make the call. Return its result, or a value of the enum above. */
long under_mask_run(struct under_mask *call);

/* Return whether under_mask_run() was interrupted before its call had a result. `context`: the handler's third
 * argument. If under_mask_run() was interrupted with a result, `rung` is set. */
bool under_mask_interrupted(const void *context);

/*
 * Return from the doorbell's handler that interrupted under_mask_run() into that function, which returns
 * UNDER_MASK_RUNG. sigreturn(2) is not called: the kernel keeps the rest of the waiting time, and there is only one
 * frame of the handler however often the doorbell rings.
 */
_Noreturn void under_mask_go_back(const void *context);

#endif
