/*
 * cfi.h - call frame information: how the caller's registers are found from a function's own.
 *
 * DWARF 5, section 6.4, as .eh_frame has it (Linux Standard Base Core, "Exception Frames").
 * Which number is which register is in the machine's ABI (struct cfi_machine).
 *
 * Any thread, signal handlers too: allocates nothing, takes no lock, calls no libc. All memory, tables
 * and stack alike, is read through the caller's `read`, so that no address can raise a fault. Input
 * is outside input: damaged tables end in CFI_DAMAGED.
 */
#ifndef HOTPATCH_CFI_H
#define HOTPATCH_CFI_H

#include <stdint.h>

#include "base/cfi_frame.h"

enum cfi_result {
    CFI_OK,
    CFI_END,     /* the outermost frame: its return address is undefined or zero */
    CFI_NO_FDE,  /* no entry covers the pc */
    CFI_DAMAGED, /* the tables make no sense, or memory cannot be read */
};

/* The function that an FDE is of. */
struct cfi_function {
    uint64_t start, end;
};

/*
 * Find the caller of `frame`, whose code has the binary search table at `table` (.eh_frame_hdr), and
 * make `frame` the caller's. `function`: if not NULL, gets what covers the pc (its own, before the
 * step). The frame is unchanged unless CFI_OK is returned.
 */
enum cfi_result cfi_step(const struct cfi_memory *memory, uint64_t table, struct cfi_frame *frame,
                         struct cfi_function *function);

/* The FDE that covers `pc`, by the table. 0: none, or the table cannot be used. */
uint64_t cfi_find(const struct cfi_memory *memory, uint64_t table, uint64_t pc);

#endif
