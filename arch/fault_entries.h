/*
 * fault_entries.h - the row of functions that faults put in place of others (loader/slots/fault.h).
 *
 * Entry n calls fault_decide() with n and its caller, and returns the value, or goes on to the original with all
 * arguments as they came. Any thread of the program, inside any function: no lock, no memory, no libc.
 */
#ifndef HOTPATCH_FAULT_ENTRIES_H
#define HOTPATCH_FAULT_ENTRIES_H

#include <stdint.h>

enum { FAULT_COUNT = 4096 };

extern const unsigned char fault_entries[], fault_entries_end[];
extern const unsigned fault_entry_size;

enum fault_outcome { FAULT_PASSES, FAULT_RETURNS, FAULT_RETURNS_NOTHING };

struct fault_verdict {
    int64_t outcome;
    int64_t value; /* to return; or the original's address */
};

/* What the entries call: loader/slots/fault_decide.c. No function of libc may be called, at whose entry this or another
 * fault may stand. */
struct fault_verdict fault_decide(uint64_t number, uintptr_t caller);

#endif
