/*
 * maps.h - what is mapped in this process, as /proc/self/maps tells it (proc(5)).
 *
 * Listener (or the thread that runs the constructor). Raw system calls, no allocation.
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
    bool stack; /* the main thread's: it grows down */
    bool heap;  /* of brk(2): it grows up */
    uint64_t offset, inode;
    const char *path; /* of a file, not terminated; as long as maps_each() is there */
    size_t path_length;
};

/* Call `each` for every mapping in address order until it returns false. 0, or -errno: it cannot be read. */
int maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);

#endif
