/*
 * injection_decide.h - does this call of a function fail, whose replacement is an injection?
 *
 * Any thread of the program, from inside any function. arch/injection.h declares arch_injection_decide().
 */
#ifndef HOTPATCH_INJECTION_DECIDE_H
#define HOTPATCH_INJECTION_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/injection.h"

/* A function that returns a value and sets errno, every time or some times, in place of the original. The request that
 * asks for it says fail=. */
struct injection {
    uintptr_t original; /* the HOTPATCH_ORIGINAL of its layer */
    int64_t value;
    int error;                          /* errno; 0: not set */
    uint64_t nth, times;                /* 0: every call, without end */
    uint32_t probability;               /* millionths; 0: not given */
    uintptr_t caller_begin, caller_end; /* 0: any caller */
    uint64_t calls;                     /* from the callers that it is for */
    uint64_t strikes;
    uint64_t until;    /* CLOCK_MONOTONIC ms: to be reverted then; 0: never */
    uint64_t reverted; /* CLOCK_MONOTONIC ms; 0: in use */
    bool taken;
    bool reached;   /* a word has led to its function: a thread may be in it */
    bool no_result; /* callers rely on rax: the function returns nothing there */
    bool at_entry;  /* of a function that our own threads may call too */
    char *text;     /* the request's NAME=RETVAL[:ERRNO] and terms */
};

extern struct injection injection_table[ARCH_INJECTIONS];
/* Where libc's errno lies, from the thread pointer: at the same offset in every thread. */
extern intptr_t injection_errno_offset;

#endif
