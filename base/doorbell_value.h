/*
 * doorbell_value.h - the value of a ring of the command: rt_tgsigqueueinfo(2), si_code SI_QUEUE.
 *
 * The command sends the value to a thread of the host; the shim's handler reads it. A shell's `kill` sends SI_USER
 * without a value, so its flags are 0. The listener is rung by tgkill(2), without a value.
 *
 * Bits 24 to 31 of the flags: the value that the command has written to exec_notice.ringing (base/exec_notice.h).
 */
#ifndef HOTPATCH_DOORBELL_VALUE_H
#define HOTPATCH_DOORBELL_VALUE_H

#include <signal.h>
#include <stdint.h>

#define DOORBELL_RINGING_SHIFT 24
#define DOORBELL_MAGIC \
    UINT64_C(0x68705267) /* the upper 32 bits of the value; the lower ones are flags */

enum {
    /* The command has read "Seccomp:" in /proc/PID/status: the handler may make system calls if it knows each filter
     * of the thread. Bits 16 to 23 have the number of filters. */
    DOORBELL_MAY_CALL = 1,
    DOORBELL_FILTERS_SHIFT = 16,
    DOORBELL_FILTERS_MAX = 255 /* this number of filters, or more */
};

/* Return the value of a ring with these flags. */
static inline uint64_t doorbell_value(uint32_t flags)
{
    return DOORBELL_MAGIC << 32 | flags;
}

/* Return the flags of a ring; 0 where the ring has no value of the command's. */
static inline uint32_t doorbell_flags(const siginfo_t *info)
{
    uint64_t value = (uintptr_t)info->si_value.sival_ptr;

    return info->si_code == SI_QUEUE && value >> 32 == DOORBELL_MAGIC ? (uint32_t)value : 0;
}

#endif
