/*
 * injection.h - functions that replace others and, as decided at each call, return a value or call the original (load
 * --fail).
 *
 * No code is generated, which a hardened host would forbid (prctl(2), PR_SET_MDWE). There is a row of ready
 * functions, each with its own number. Any thread of the program runs them, from inside any function.
 */
#ifndef HOTPATCH_ARCH_INJECTION_H
#define HOTPATCH_ARCH_INJECTION_H

#include <stdint.h>

enum { ARCH_INJECTIONS = 4096 };

/* The row: ARCH_INJECTIONS functions of arch_injection_size bytes. Each calls arch_injection_decide() with its number
 * and its caller. It then returns the value, or passes the call to the original with all arguments unchanged. */
extern const unsigned char arch_injection_row[], arch_injection_row_end[];
extern const unsigned arch_injection_size;

enum arch_injection_outcome {
    ARCH_INJECTION_PASSES,
    ARCH_INJECTION_RETURNS,
    ARCH_INJECTION_RETURNS_NOTHING
};

struct arch_injection_verdict {
    int64_t outcome;
    int64_t value; /* the value to return, or the original's address */
};

/* Decide about one call. Defined by the program that the row is linked into: in the engine by
 * loader/slots/injection_decide.c. It calls no function of libc and writes no vector register. */
struct arch_injection_verdict arch_injection_decide(uint64_t number, uintptr_t caller);

#endif
