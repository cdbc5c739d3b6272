/*
 * unwind_table.h - where functions begin and end by .eh_frame_hdr and .eh_frame.
 *
 * The tables are of the Linux Standard Base, "Exception Frames". They are read in place; only
 * where the sorted table of .eh_frame_hdr cannot be used are the FDEs of .eh_frame listed in memory.
 */
#ifndef HOTPATCH_UNWIND_TABLE_H
#define HOTPATCH_UNWIND_TABLE_H

#include "elf/image.h"

struct unwind_range {
    uint64_t start; /* before load bias */
    uint64_t size;  /* 0: unknown */
    bool
        signal_frame; /* the CIE's augmentation has an S: the kernel's return from a signal handler */
};

struct unwind_table {
    const struct image *image;
    size_t count;
    const uint8_t *entries;      /* of .eh_frame_hdr, ascending */
    uint64_t header;             /* its address */
    struct unwind_range *ranges; /* or those of .eh_frame, ascending */
    uint64_t frames;             /* address of .eh_frame; up to the end of its PT_LOAD */
    const uint8_t *frame_bytes;
    size_t frames_size;
    uint64_t cie; /* the last CIE that was read, and what it says about its FDEs */
    uint8_t encoding;
    bool signal_frame;
};

/* Open the table of `image`, which must outlive it. `eh_frame`: where a section header says that .eh_frame
 * begins, or 0. A missing or damaged part leaves the table empty or smaller. 0, or -1: no memory. */
int unwind_table_open(struct unwind_table *table, const struct image *image, uint64_t eh_frame,
                      struct elf_error *error);
void unwind_table_close(struct unwind_table *table);

/* `i` is below `count`. Starts are ascending; two may be equal. */
uint64_t unwind_start(const struct unwind_table *table, size_t i);
struct unwind_range unwind_range(struct unwind_table *table, size_t i);
/* Return how many ranges begin at or before `address`. */
size_t unwind_count_to(const struct unwind_table *table, uint64_t address);
/* The one that begins at `address`. */
bool unwind_begins_at(struct unwind_table *table, uint64_t address, struct unwind_range *out);
/* Find the FDE of a signal frame that covers `address`, among those that begin last before it. */
bool unwind_signal_frame(struct unwind_table *table, uint64_t address, struct unwind_range *out);

#endif
