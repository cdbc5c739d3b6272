/*
 * diff_apply.h - the hunks of one file, applied to its text: offsets and fuzz as patch(1) has them, but nothing that could be
 * meant for two places.
 */
#ifndef HOTPATCH_DIFF_APPLY_H
#define HOTPATCH_DIFF_APPLY_H

#include "cli/build/diff_read.h"

/* Where a hunk went in. */
struct diff_fit {
    long offset;   /* lines from where its head says, after the hunks before it */
    unsigned fuzz; /* lines of context that were not looked at, at each end */
};

/* Apply the hunks to `text`. Return 0 with the new text, malloc'd, or -1 with the index of the hunk that does not fit in
 * `*failed`, and in `*ambiguous` whether it fits in several places. `fits`, which may be NULL, has room for all hunks. */
int diff_apply(const struct diff_file *file, const char *text, size_t size, bool reverse,
               char **out, size_t *out_size, size_t *failed, bool *ambiguous,
               struct diff_fit *fits);

#endif
