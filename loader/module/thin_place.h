/*
 * thin_place.h - choose the place for a thin object: free addresses within reach of its target.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_PLACE_H
#define HOTPATCH_THIN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/thin_link.h"

enum { THIN_TRIES = 8 };

struct thin_spot {
    uintptr_t base;              /* 0: none is chosen */
    size_t size;                 /* bytes of memory */
    bool held;                   /* by a mapping without access */
    uintptr_t tried[THIN_TRIES]; /* places where ld.so did not map it */
    size_t try_count;
    struct thin_spot *next; /* chosen and not mapped yet */
};

/* Choose a place near `near`: not one that was tried, nor one that another spot waits for. Return its address; 0 if
 * there is none, with `*error` 0 or -errno. The spot waits from then on, and nothing else is mapped there. */
uintptr_t thin_spot_find(struct thin_spot *spot, const struct thin_extent *extent, uint64_t near,
                         int *error);
/* Free the place just before it is mapped. Called by the thread that maps it. */
void thin_spot_open(struct thin_spot *spot);
/* The place is mapped now, or will not be. */
void thin_spot_done(struct thin_spot *spot);

#endif
