/*
 * cfi.h - call frame information: finds the caller's registers from a function's own.
 *
 * DWARF 5, section 6.4, in the form of .eh_frame (Linux Standard Base Core, "Exception Frames"). The machine's ABI
 * numbers the registers (struct cfi_machine).
 *
 * Any thread, also in signal handlers: allocates nothing, takes no lock, calls no libc. All memory, tables and stack,
 * is read through the caller's `read`, so that no address can raise a fault. The tables are untrusted: damaged tables
 * give CFI_DAMAGED.
 */
#ifndef HOTPATCH_CFI_H
#define HOTPATCH_CFI_H

#include <stdint.h>

#include "base/cfi_frame.h"

enum cfi_result {
    CFI_OK,
    CFI_END,     /* the outermost frame: its return address is undefined or zero */
    CFI_NO_FDE,  /* no entry covers the pc */
    CFI_DAMAGED, /* the tables are not valid, or memory cannot be read */
};

/* The function of an FDE. */
struct cfi_function {
    uint64_t start, end;
};

/*
 * Find the caller of `frame` and make `frame` the caller's. `table`: the binary search table of its code
 * (.eh_frame_hdr). `function`: if not NULL, gets the function that covers the pc (before the step). The frame is
 * unchanged unless CFI_OK is returned.
 */
enum cfi_result cfi_step(const struct cfi_memory *memory, uint64_t table, struct cfi_frame *frame,
                         struct cfi_function *function);

/* Return the FDE that covers `pc`, by the table; 0: none, or the table cannot be used. */
uint64_t cfi_find(const struct cfi_memory *memory, uint64_t table, uint64_t pc);

#endif
