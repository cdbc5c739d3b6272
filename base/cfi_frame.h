/*
 * cfi_frame.h - the registers of a frame, and how the memory that describes it is read. See cfi.h.
 */
#ifndef HOTPATCH_CFI_FRAME_H
#define HOTPATCH_CFI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the registers of each machine that arch/ knows, in DWARF's order, and for the return address. */
enum { CFI_REGISTERS = 17 };

/* What the machine's ABI says of them. Defined in arch/. */
extern const struct cfi_machine {
    unsigned sp, pc; /* numbers: the stack pointer, the return address */
    uint32_t kept;   /* bits: registers that a function leaves as they are */
} cfi_machine;

/* Copy `size` bytes at `address`. False: they cannot be read. */
typedef bool cfi_read(void *context, uint64_t address, void *to, size_t size);

struct cfi_memory {
    cfi_read *read;
    void *context;
};

struct cfi_frame {
    uint64_t value[CFI_REGISTERS];
    uint32_t known; /* bits: which values are known */
    bool signal;    /* interrupted, not calling: its pc may be the first of its function */
};

#endif
