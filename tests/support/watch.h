/*
 * watch.h - sees each store into a function's entry, in order, and judges them.
 *
 * For a program linked with ld(1)'s --wrap for text_poke.h's functions and some of thread_scan.h's (Makefile).
 * What may another processor fetch? Between two serialisations (text_poke_sync()) any of the stores may
 * have been seen or not, each by itself: whatever has been, at the entry and at every old boundary
 * where a thread may be there must lie a whole old instruction, a trap, or at the entry the whole
 * jump (Intel SDM 3A, 9.1.3). Else the program aborts, and says why.
 */
#ifndef HOTPATCH_TEST_WATCH_H
#define HOTPATCH_TEST_WATCH_H

#include <stdbool.h>

#include "loader/text/text_patch.h"
#include "tests/support/shapes.h"

struct watch {
    const char *name;
    bool untrappable; /* there is a thread that would not survive a trap */
    unsigned at;      /* call `act` after so many events */
    void (*act)(void *);
    void *argument;
    void (*listed)(void *); /* call it once, when all threads have been listed */
    void (*looked)(void *); /* call it once, when all have been seen outside */
};
extern struct watch watch;

/* Run a way of swapping a short jump, and judge its stores as those of short_patch.c are judged. */
bool watch_short_swap(bool (*patch)(const struct text_patch *patch, bool in, void *context),
                      bool in, const struct text_patch *what, void *context);

/* shape_arm() and shape_disarm(), with `act` after `at` events (0: never). How many there were. */
unsigned watch_arm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument);
unsigned watch_disarm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument);

#endif
