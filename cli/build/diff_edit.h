/*
 * diff_edit.h - diffs, applied to the sources that a target was built from: an edit for build_patch().
 *
 * The sources are only read.
 */
#ifndef HOTPATCH_DIFF_EDIT_H
#define HOTPATCH_DIFF_EDIT_H

#include "base/refusal.h"
#include "cli/build/edit_list.h"

struct build;

/* Apply the diff `text` of the file `name`, whose paths lose `strip` components, after those that the list has already. Return 0,
 * or -1: HP-DIFF where it does not apply, HP-SOURCE where a path may be several files, or none of its files is there. */
int diff_edit(struct edit_list *list, struct build *build, const char *text, size_t size,
              const char *name, unsigned strip, struct refusal *why);

#endif
