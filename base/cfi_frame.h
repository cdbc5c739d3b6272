/*
 * cfi_frame.h - the registers of a frame, and the function that reads the memory of its tables. See cfi.h.
 */
#ifndef HOTPATCH_CFI_FRAME_H
#define HOTPATCH_CFI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of each machine that arch/ supports, in DWARF's order, and the return address. */
enum { CFI_REGISTERS = 17 };

/* The machine's ABI for these registers. Defined in arch/. */
extern const struct cfi_machine {
    unsigned sp, fp, pc; /* numbers: the stack pointer, the frame pointer, the return address */
    uint32_t kept;       /* bits: registers that a function must keep */
} cfi_machine;

/* Copy `size` bytes at `address`. Return false if they cannot be read. */
typedef bool cfi_read(void *context, uint64_t address, void *to, size_t size);

struct cfi_memory {
    cfi_read *read;
    void *context;
};

struct cfi_frame {
    uint64_t value[CFI_REGISTERS];
    uint32_t known; /* bits: which values are known */
    bool signal;    /* interrupted, not in a call: the pc may be the first of the function */
};

#endif
