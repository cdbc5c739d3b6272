/*
 * build_grammars.h - edits of grammars: the sources that are generated from them are edited likewise.
 */
#ifndef HOTPATCH_BUILD_GRAMMARS_H
#define HOTPATCH_BUILD_GRAMMARS_H

#include "cli/build/build_state.h"
#include "cli/build/edit_list.h"

/* Add to `list` the generated sources and headers that change with the grammars of the edit. Return 0, or -1: HP-SOURCE where the
 * unedited grammar does not give the source that is there, HP-COMPILE where the tool refuses the edited one. */
int build_edit_grammars(struct build_run *run, struct edit_list *list, struct refusal *why);
/* Call `each` for the grammars that the sources of the target were generated from. */
void build_each_grammar(const struct build *build, void (*each)(const char *path, void *context),
                        void *context);

#endif
