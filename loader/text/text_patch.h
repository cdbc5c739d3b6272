/*
 * text_patch.h - put a jump over a function's first instructions, or take it out, while threads run through them.
 * text_patch.c describes the ways.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held, inside the commit
 * section. The traps of the prologue are in the table, and SIGTRAP's action is the engine's.
 */
#ifndef HOTPATCH_TEXT_PATCH_H
#define HOTPATCH_TEXT_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "loader/text/site_problem.h"

struct text_patch {
    const struct arch_prologue *prologue;
    uint8_t jump[8];
    size_t jump_size;
    uint8_t hold[8]; /* a jump to the same word that holds threads (arch_hold_first()) */
    bool held;       /* `hold` has a jump */
    bool punned;     /* the jump has traps at the old boundaries, or there are no boundaries */
    int protection;  /* protection of the function's pages */
};

/* Write the jump. Return how it was written, or NULL with `why` and nothing changed. */
const char *text_patch_in(const struct text_patch *patch, uint64_t until, struct site_problem *why);
const char *text_patch_out(const struct text_patch *patch, uint64_t until,
                           struct site_problem *why);

#endif
