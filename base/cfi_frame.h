/*
 * cfi_frame.h - the registers of a frame, and how the memory that describes it is read. See cfi.h.
 */
#ifndef HOTPATCH_CFI_FRAME_H
#define HOTPATCH_CFI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CFI_REGISTERS = 17, CFI_SP = 7, CFI_FP = 6, CFI_PC = 16 };

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
