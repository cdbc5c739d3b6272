/*
 * tree_edit.h - the difference of two trees of sources: an edit for build_patch().
 */
#ifndef HOTPATCH_TREE_EDIT_H
#define HOTPATCH_TREE_EDIT_H

#include "base/refusal.h"
#include "cli/build/edit_list.h"

struct build;

/* Add each source file that differs in `from` and `to`, which are absolute. The compile commands may name files of `from`, or files
 * of another tree with the same names. Return 0, or -1: HP-OPEN, HP-SOURCE where the trees do not differ. */
int tree_edit(struct edit_list *list, struct build *build, const char *from, const char *to,
              struct refusal *why);

#endif
