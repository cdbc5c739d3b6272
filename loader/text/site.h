/*
 * site.h - functions whose first bytes lead to a word: one site for each entry, once in the life of the process.
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
 * A punned jump has bytes of rel32 that are traps on the boundaries of the displaced instructions: a thread that had
 * stopped there meets the trap and goes on in the relocated prologue (trap.h).
 *
 * A site goes through these states: read (nothing of the process has changed), prepared (its stub, its word and its
 * relocated prologue exist; nothing leads there), armed (the function's entry jumps to the stub). Disarming brings back
 * the very bytes. A site, its stub and its relocated prologue are never freed: a thread may be on its way through them,
 * and their return addresses may lie on stacks.
 *
 * The pad stays the site's, and its bytes stay once they are written: a thread may have gone through the short jump and
 * not yet have come to the long jump. No other thread executes the pad.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock.
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
 * Let the entry jump to the stub; waits for threads until `until` (CLOCK_MONOTONIC, ms) where it
 * must. Inside objects_locked() and the commit section. 0; -1: text, but for a pad, and protections are
 * as before.
 */
int site_arm(struct site *site, uint64_t until, struct site_problem *why);
/* What can be done for many at once before site_arm() is called for each: pads are written, with one
 * serialisation for all. In the same section. */
void sites_arm_ahead(struct site *const *sites, size_t count);
/* Undo site_arm(), for a transaction that is refused. The word must hold the relocated prologue. */
int site_disarm(struct site *site, uint64_t until, struct site_problem *why);

/* How calls of the replacement `function` are to be made from now on. Before the switch to it.
 * 0, or -1: nothing has changed. */
int site_keep(struct site *site, uintptr_t function, const struct keep *keep,
              struct site_problem *why);
/* Where calls must be led so that they reach `function` in that way: its thunk, or itself. */
uintptr_t site_way(const struct site *site, uintptr_t function);
const struct keep *site_keeps(const struct site *site, uintptr_t function); /* NULL: nothing */

/*
 * Are the bytes of an armed entry those that were written, or the original's, those of an unarmed one what
 * was read? Else -1: HP_BREAKPOINT where an int3 or a jump of another tool lies there, HP_HOST_OWNED.
 * Inside objects_locked().
 */
int site_check(struct site *site, struct site_problem *why);
/* The same; and an armed entry where original bytes are back is armed again, as by site_arm(). */
int site_mend(struct site *site, uint64_t until, struct site_problem *why);
/* What was found when it was last looked at (damage.h); NULL: it is as it was written. */
const struct damage *site_damage(const struct site *site);

/* Is it safe beside uprobes: does a thread go on in the old code where one has restored the entry's
 * first byte, or runs the first instruction itself? Prepared. */
bool site_survives_restore(const struct site *site);

bool site_is_armed(const struct site *site);
bool site_is_short(const struct site *site); /* prepared: no thread and no trap matters to it */
uintptr_t *site_word(struct site *site);     /* prepared: what the stub jumps through */
uintptr_t site_original(const struct site *site); /* prepared: the relocated prologue */
/* "short", "punned", ...: how it was armed, or how it would be. */
const char *site_technique(const struct site *site);

/* Another number whenever something of the site has changed that the functions above tell. */
uint64_t site_stamp(const struct site *site);

/* Let calls go to `target`, in its way, which is one release store. `hits`: until the next site_take_hit() calls
 * go by way of a stub that records that there was one. Commit section. */
void site_switch(struct site *site, uintptr_t target, bool hits);
/* Has the target been called since the last site_switch() with `hits`? Once it has, calls take
 * the short way again. */
bool site_take_hit(struct site *site);

/* Write the original bytes over those of armed entries, and of pads, in a copy of what runs at
 * `address`. */
void sites_restore(uintptr_t address, uint8_t *copy, size_t size);

/* Call `each` for whatever is written in [begin, end): jumps at entries, and in padding. */
void sites_each_written(uintptr_t begin, uintptr_t end,
                        void (*each)(uintptr_t at, size_t size, void *context), void *context);

/* Register with the list of objects (object.h): the sites of an object that is unmapped are dropped. */
void sites_register(void);
/* From time to time: SIGTRAP is taken again where the host has set an action of its own since; that one is
 * called for traps that are not the engine's. */
void sites_deferred(void);
/* In the child, before it has threads. */
void sites_after_fork(void);

#endif
