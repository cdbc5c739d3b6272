/*
 * build_untouched.h - units that an edit of headers concerns, and that are compiled to what the target has: they need
 * no unedited object, since nothing of them can be in the patch.
 *
 * The edited object is compared with the binary. Where its code and data are the binary's, the unit is left out. What
 * the pair of its objects could still say is of types: a selection without these units counts only if it has met no
 * other type, no complaint and nothing to note.
 */
#ifndef HOTPATCH_BUILD_UNTOUCHED_H
#define HOTPATCH_BUILD_UNTOUCHED_H

#include "cli/build/build_state.h"

struct selection;

/* Return whether the unit may turn out to be untouched: its edited object is to be made first. */
bool untouched_may_be(const struct build_run *run, const struct unit *unit);
/* Compare the edited objects of such units with the target. Return 0, or -1 as baseline_compare(). */
int untouched_find(struct build_run *run, struct refusal *why);
bool untouched_is(const struct unit *unit);
/* Return how many of the affected units are untouched. */
size_t untouched_count(const struct build_run *run);
/* Return whether the selection may be another with all units: it has notes, or a new function of a known name. */
bool untouched_doubtful(const struct build_run *run, const struct selection *selection);
/* From now on no unit is left out. */
void untouched_forget(struct build_run *run);

#endif
