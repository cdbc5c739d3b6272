/*
 * build_steps.h - the files of an edit while it is built, and the views of the tree that have their texts.
 */
#ifndef HOTPATCH_BUILD_STEPS_H
#define HOTPATCH_BUILD_STEPS_H

#include "cli/build/build_state.h"

/* Make the steps of the files, and the two views, which are empty. */
void build_begin_edit(struct build_run *run, const struct edit *edit);
/* Add the step of one file more; `steps` has room. */
void build_take_step(struct build_run *run, const struct edit_file *file);
/* Make the view of the edited texts, or of the unedited ones, for the affected units. Return 0, or -1 with HP-OPEN. */
int build_make_view(struct build_run *run, struct overlay *view, bool edited, struct refusal *why);
/* Make the view of the unedited texts for all units that the target may come from. Return 0, or -1 with HP-OPEN. */
int build_make_old_view(struct build_run *run, struct refusal *why);
void build_end_edit(struct build_run *run);

#endif
