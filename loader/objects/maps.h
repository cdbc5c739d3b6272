/*
 * maps.h - read the mappings of this process from /proc/thread-self/maps (proc(5)).
 *
 * Called by the listener, or by the thread that runs the constructor. Raw system calls, no allocation.
 */
#ifndef HOTPATCH_MAPS_H
#define HOTPATCH_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uintptr_t begin, end;
    int protection; /* PROT_READ | ... */
    bool shared;
    bool stack; /* the main thread's stack, which grows down */
    bool heap;  /* the heap of brk(2), which grows up */
    uint64_t offset, inode;
    const char *path; /* path of the file, not terminated; valid until `each` returns */
    size_t path_length;
};

/* Call `each` for every mapping in address order until it returns false. Return 0, or -errno if the mappings cannot be
 * read. */
int maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);

#endif
