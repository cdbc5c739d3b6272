/*
 * fault.h - faults without a patch's file: a function that returns a value and sets errno, every
 * time or some times, in place of the original.
 *
 * No code is generated, which a hardened host would forbid (prctl(2), PR_SET_MDWE): the engine
 * has a row of entries ready, each of which knows its number. An entry is used again only when no
 * thread can be on its way through it since before the revert.
 */
#ifndef HOTPATCH_FAULT_H
#define HOTPATCH_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/fault_entries.h"
#include "base/refusal.h"
#include "base/request.h"
#include "loader/objects/object.h"

struct fault {
    uintptr_t original; /* what lies below; a layer's HOTPATCH_ORIGINAL */
    int64_t value;
    int error;                          /* errno, 0: left alone */
    uint64_t nth, times;                /* 0: every call, without end */
    uint32_t probability;               /* millionths; 0: not given */
    uintptr_t caller_begin, caller_end; /* 0: whoever calls */
    uint64_t calls;                     /* that met its terms for the caller */
    uint64_t strikes;
    uint64_t until;    /* CLOCK_MONOTONIC ms: to be reverted then; 0: never */
    uint64_t reverted; /* CLOCK_MONOTONIC ms; 0: in use */
    bool taken;
    bool reached;   /* a word has led to it: a thread may be on its way through */
    bool no_result; /* callers rely on rax: the function returns nothing there */
    bool at_entry;  /* of a function that our own threads may call too */
    char *text;     /* the request's NAME=RETVAL[:ERRNO] and terms */
};

/* Take a fault for a request. NULL with `why`. Its target is copied into `target`. */
struct fault *fault_new(const struct request_fault *request, char *target, size_t target_size,
                        struct refusal *why);
/* It was reverted, or the request for it was refused or tried only. Its counters stay for a while, and so
 * does its way to the original, if a thread may have come to it. */
void fault_end(struct fault *fault);
uintptr_t fault_entry(const struct fault *fault); /* the function that replaces */

extern struct fault fault_table[];
extern intptr_t
    fault_errno_offset; /* from the thread pointer; libc's errno has it in every thread */

#endif
