/*
 * watch.h - record each store into a function's entry, in order, and check the stores.
 *
 * For a program that is linked with ld(1)'s --wrap for the functions of text_poke.h and some functions of thread_scan.h
 * (Makefile). The check asks which bytes another processor may fetch. Between two serialisations (text_poke_sync()) any
 * of the stores may have been seen or not, each independently. In every case the entry, and every old boundary where a
 * thread may be, must have a whole old instruction or a trap, or at the entry the whole jump (Intel SDM 3A, 9.1.3).
 * Else the program prints the reason and aborts.
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
    void (*listed)(void *); /* called once, when all threads have been listed */
    void (*looked)(void *); /* called once, when all threads have been seen outside */
};
extern struct watch watch;

/* Run a function that patches a short jump, and check its stores like those of short_patch.c. */
bool watch_short_swap(bool (*patch)(const struct text_patch *patch, bool in, void *context),
                      bool in, const struct text_patch *what, void *context);

/* Call shape_arm() or shape_disarm(), with `act` after `at` events (0: never). Return the number of events. */
unsigned watch_arm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument);
unsigned watch_disarm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument);

#endif
