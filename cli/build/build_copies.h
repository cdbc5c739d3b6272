/*
 * build_copies.h - edits of sources that the compiler reads in a copy: the generated text that has the copy is edited likewise.
 */
#ifndef HOTPATCH_BUILD_COPIES_H
#define HOTPATCH_BUILD_COPIES_H

#include "cli/build/build_state.h"
#include "cli/build/edit_list.h"

/* Add to `list` the sources of the target that have copies of edited files (copied_text.h). After build_find_affected(). Return 0, or -1
 * with HP-SOURCE where a copy has other lines than the edit needs. */
int build_edit_copies(struct build_run *run, struct edit_list *list, struct refusal *why);

#endif
