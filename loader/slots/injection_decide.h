/*
 * injection_decide.h - decide whether this call of a function fails; its replacement is an injection.
 *
 * Run by any thread of the program, from inside any function. arch/injection.h declares arch_injection_decide().
 */
#ifndef HOTPATCH_INJECTION_DECIDE_H
#define HOTPATCH_INJECTION_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/injection.h"

/* A function that returns a value and sets errno in place of the original, at every call or at some calls. A request
 * for it says fail=. */
struct injection {
    uintptr_t original; /* the HOTPATCH_ORIGINAL of its layer */
    int64_t value;
    int error;                          /* errno; 0: not set */
    uint64_t nth, times;                /* 0: every call, without an end */
    uint32_t probability;               /* millionths; 0: not given */
    uintptr_t caller_begin, caller_end; /* 0: any caller */
    uint64_t calls;                     /* calls by the callers that the injection is for */
    uint64_t strikes;
    uint64_t until;    /* CLOCK_MONOTONIC ms: when the injection is reverted; 0: never */
    uint64_t reverted; /* CLOCK_MONOTONIC ms; 0: in use */
    bool taken;
    bool reached;   /* a word has led to its function, so a thread may be in it */
    bool no_result; /* callers rely on rax, so the function returns no value there */
    bool at_entry;  /* of a function that the engine's own threads may call, too */
    char *text;     /* the request's NAME=RETVAL[:ERRNO] and terms */
};

extern struct injection injection_table[ARCH_INJECTIONS];
/* The offset of libc's errno from the thread pointer, which is the same in every thread. */
extern intptr_t injection_errno_offset;

#endif
