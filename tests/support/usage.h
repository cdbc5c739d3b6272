/*
 * usage.h - what a host uses of the kernel: descriptors, threads, mappings, private memory. The difference of two
 * readings shows whether the steps between them cost the host anything.
 */
#ifndef HOTPATCH_TESTS_SUPPORT_USAGE_H
#define HOTPATCH_TESTS_SUPPORT_USAGE_H

#include "tests/support/harness.h"

struct usage {
    int descriptors;         /* descriptors of the host */
    int private_descriptors; /* of the listener's own table */
    int threads;
    int mappings;
    long anonymous_kb; /* resident memory of no file: heaps, stacks */
};

struct usage usage_of(struct host *host);
/* Require the same usage. A few more pages and mappings are allowed. */
void usage_assert_same(const struct usage *before, const struct usage *after);

#endif
