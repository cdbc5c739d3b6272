/*
 * usage.h - what a host holds of the kernel's: descriptors, threads, mappings, memory of its own. Two
 * looks tell whether what was done between them costs the host anything.
 */
#ifndef HOTPATCH_TESTS_SUPPORT_USAGE_H
#define HOTPATCH_TESTS_SUPPORT_USAGE_H

#include "tests/support/harness.h"

struct usage {
    int descriptors;         /* of the host */
    int private_descriptors; /* of the listener's own table */
    int threads;
    int mappings;
    long anonymous_kb; /* resident and nobody's file: heaps, stacks */
};

struct usage usage_of(struct host *host);
/* A few pages and mappings more are allowed. */
void usage_assert_same(const struct usage *before, const struct usage *after);

#endif
