/*
 * cfi_reader.h - bytes, numbers and encoded pointers of .eh_frame, read in order. See cfi.h.
 */
#ifndef HOTPATCH_CFI_READER_H
#define HOTPATCH_CFI_READER_H

#include "base/cfi_frame.h"

/* Reads from `at` up to `end`. After a failure every value is 0. */
struct cfi_reader {
    const struct cfi_memory *memory;
    uint64_t at, end;
    bool failed;
    uint64_t window; /* address of `bytes` */
    size_t held;     /* number of bytes */
    uint8_t bytes[64];
};

void cfi_reader_begin(struct cfi_reader *reader, const struct cfi_memory *memory, uint64_t at,
                      uint64_t end);

uint64_t cfi_unsigned(struct cfi_reader *reader, size_t size); /* 1, 2, 4 or 8 bytes */
int64_t cfi_signed(struct cfi_reader *reader, size_t size);
uint64_t cfi_uleb(struct cfi_reader *reader);
int64_t cfi_sleb(struct cfi_reader *reader);
/* Skip `size` bytes. */
void cfi_skip(struct cfi_reader *reader, uint64_t size);

/* Return a pointer in the encoding `encoding` (DW_EH_PE_*). `data`: base of DW_EH_PE_datarel. For DW_EH_PE_omit no
 * byte is read, and 0 is returned. */
uint64_t cfi_pointer(struct cfi_reader *reader, uint8_t encoding, uint64_t data);

enum {
    CFI_PE_OMIT = 0xff,
    CFI_PE_FORMAT = 0x0f,
    CFI_PE_APPLICATION = 0x70,
    CFI_PE_INDIRECT = 0x80
};

#endif
