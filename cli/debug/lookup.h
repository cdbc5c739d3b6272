/*
 * lookup.h - what functions are meant by the targets of patches, where a process cannot tell by
 * itself: names that only debug information has, and C++ names as people type them.
 *
 * An object is read once, whichever and however many processes have it mapped.
 */
#ifndef HOTPATCH_LOOKUP_H
#define HOTPATCH_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/debug/lookup_objects.h"

/*
 * Where the function that `target` names is. 1: `*key` is "at=..." for the wire, malloc'd; 0: the
 * process must say, which it can where it knows the name itself; -1: HP-AMBIGUOUS with what it
 * could be, or HP-NO-TARGET with what there is in its place.
 */
int lookup_target(struct lookup *lookup, const char *target, char **key, struct refusal *why);

/* How many functions lookup_target() would find in a file, its own symbols among them; where one
 * of them is. Of several, and of a name with other parameters, the refusal. */
size_t lookup_address(struct lookup *lookup, const char *target, uint64_t *address,
                      struct refusal *why);

/*
 * "f was inlined into: main (reader.c:12), and cloned as: f.part.0; these keep the old code",
 * malloc'd, where the DWARF or the symbols of the object that has the target say so; else NULL. Ends
 * its search after `budget` ms.
 */
char *lookup_inlined(struct lookup *lookup, const char *target, unsigned budget);
/* "main (reader.c:12), f (reader.c:40)", malloc'd: the functions that have copies of the one at
 * `address` of the object that is mapped from `path`. NULL: none, or not known. Ends at `until`
 * (CLOCK_MONOTONIC, ms). */
char *lookup_copies(struct lookup *lookup, const char *path, uint64_t address, uint64_t until);
/* "f: calls through imports switch; ...", malloc'd, where the target has no OBJECT and means what a
 * library defines and calls itself; else NULL. */
char *lookup_self_calls(struct lookup *lookup, const char *target);
/* "double", malloc'd: what the function returns that is meant, where that is neither nothing nor one integer or
 * pointer; else NULL. */
char *lookup_unfit_result(struct lookup *lookup, const char *target);
/* "f has no code of its own: the compiler inlined it into main (reader.c:12)", malloc'd, where that
 * is so; else NULL. Likewise. */
char *lookup_absent(struct lookup *lookup, const char *target, unsigned budget);

#endif
