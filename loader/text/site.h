/*
 * site.h - functions whose first bytes lead to a word. Each entry has one site as long as the process runs.
 *
 *   the function                                      near the function (near_alloc.h)
 *
 *   entry:   e9 rel32 ------------------------------> stub: jmp *word(%rip)
 *            rest of the displaced instructions             |
 *   entry + length:                                         v
 *        +-> the next instruction                     word: the target: a replacement or its thunk (keeper.h), the
 *        |                                                  relocated prologue, or the hit stub
 *        |
 *        |                                            hit stub: hit = 1; jmp *target(%rip)
 *        |
 *        +------------------------------------------- relocated prologue: copies of the displaced instructions;
 *                                                     jmp entry + length
 *
 *   with a short jump:  entry: eb rel8 -> pad, in padding between functions: e9 rel32 -> stub
 *
 * The rel32 of a punned jump has a trap at each boundary of the displaced instructions. A thread that had stopped at a
 * boundary executes the trap and continues in the relocated prologue (trap.h).
 *
 * A site has one of these states. Read: nothing of the process has changed. Prepared: its stub, its word and its
 * relocated prologue exist, and nothing leads there. Armed: the function's entry jumps to the stub. Disarming writes
 * the original bytes again. A site, its stub and its relocated prologue are never freed: a thread may be executing
 * them, and their return addresses may lie on stacks.
 *
 * The pad belongs to the site as long as the process runs, and keeps its bytes once they are written. A thread may have
 * executed the short jump and not yet the long jump. No other thread executes the pad.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held.
 */
#ifndef HOTPATCH_SITE_H
#define HOTPATCH_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/keep.h"
#include "loader/text/site_problem.h"

struct damage;
struct site;

/*
 * Let the entry jump to the stub. Wait for threads until `until` (CLOCK_MONOTONIC, ms) if necessary. Called inside
 * objects_locked() and the commit section. Return 0, or -1: the code, except a pad, and the protections are unchanged.
 */
int site_arm(struct site *site, uint64_t until, struct site_problem *why);
/* Do the steps that can be done for many sites at once before site_arm() is called for each. Pads are written, with one
 * serialisation for all. Called in the same commit section as site_arm(). */
void sites_arm_ahead(struct site *const *sites, size_t count);
/* Undo site_arm() for a transaction that is refused. The word must hold the relocated prologue. */
int site_disarm(struct site *site, uint64_t until, struct site_problem *why);

/* Set which registers calls of the replacement `function` keep. Called before the word is switched to `function`.
 * Return 0, or -1 with nothing changed. */
int site_keep(struct site *site, uintptr_t function, const struct keep *keep,
              struct site_problem *why);
/* Return the address that calls must be led to so that they reach `function`: its thunk, or the function itself. */
uintptr_t site_way(const struct site *site, uintptr_t function);
/* Return the registers that calls of `function` keep; NULL: none. */
const struct keep *site_keeps(const struct site *site, uintptr_t function);

/*
 * Check the bytes at the entry. An armed entry must hold the bytes that the engine wrote, or the original bytes; an
 * unarmed entry must hold the bytes that were read. Return 0, or -1: HP_BREAKPOINT if an int3 or a jump of another tool
 * lies there, HP_HOST_OWNED. Called inside objects_locked().
 */
int site_check(struct site *site, struct site_problem *why);
/* Call site_check(). If original bytes are back at an armed entry, arm the entry again as site_arm() does. */
int site_mend(struct site *site, uint64_t until, struct site_problem *why);
/* Return the damage that the last comparison found (damage.h); NULL if the bytes are as written. */
const struct damage *site_damage(const struct site *site);

/* Return whether the prepared site is safe if a uprobe is set and removed there. The uprobe writes the entry's original
 * first byte, or the kernel runs the first instruction itself. A thread must then continue in the old code. */
bool site_survives_restore(const struct site *site);

bool site_is_armed(const struct site *site);
/* Return whether the prepared site has a short jump: no thread's position and no trap matters to it. */
bool site_is_short(const struct site *site);
uintptr_t *site_word(struct site *site); /* prepared: the word that the stub jumps through */
uintptr_t site_original(const struct site *site); /* prepared: the relocated prologue */
/* Return how the site was armed, or how it would be armed: "short", "punned", ... */
const char *site_technique(const struct site *site);

/* Return a number that changes whenever a fact that the functions above report has changed. */
uint64_t site_stamp(const struct site *site);

/* Let calls go to `target`, or to its thunk; this is one release store. With `hits`, calls go through the hit stub
 * until the next site_take_hit(); the stub records that there was a call. Called in the commit section. */
void site_switch(struct site *site, uintptr_t target, bool hits);
/* Return whether the target has been called since the last site_switch() with `hits`. If so, calls go directly to the
 * target again. */
bool site_take_hit(struct site *site);

/* Write the original bytes into `copy`, a copy of the code at `address`, over those of armed entries and of pads. */
void sites_restore(uintptr_t address, uint8_t *copy, size_t size);

/* Call `each` for every range that the engine has written in [begin, end): jumps at entries, and jumps in padding. */
void sites_each_written(uintptr_t begin, uintptr_t end,
                        void (*each)(uintptr_t at, size_t size, void *context), void *context);

/* Register with the list of objects (object.h): the sites of an object that is unmapped are dropped. */
void sites_register(void);
/* Take SIGTRAP again if the host has since set an action of its own. That action is called for traps that are not the
 * engine's. Called from time to time. */
void sites_deferred(void);
/* Repair the site that the parent was arming. Called in the child before it has other threads. */
void sites_after_fork(void);

#endif
