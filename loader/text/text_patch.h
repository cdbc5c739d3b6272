/*
 * text_patch.h - put a jump over a function's first instructions, or take it out, while threads run
 * through them. text_patch.c says how.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock, inside the commit
 * section; the traps of the prologue are in the table, and SIGTRAP is ours.
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
    bool held;       /* there is one */
    bool punned;     /* the jump has traps on the old boundaries, or there are none */
    int protection;  /* of the function's pages */
};

/* How it was done, or NULL with `why`: nothing has changed. */
const char *text_patch_in(const struct text_patch *patch, uint64_t until, struct site_problem *why);
const char *text_patch_out(const struct text_patch *patch, uint64_t until,
                           struct site_problem *why);

#endif
