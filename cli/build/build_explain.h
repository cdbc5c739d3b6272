/*
 * build_explain.h - why a function has other code although its source is what it was.
 *
 * The compiler tells a function what it knows of others: it inlines them, and leaves out what a callee does not need. A macro or
 * a type changes all that use it. So the lines of the edit are compared with the lines that the unedited function came
 * from, by its debug information.
 */
#ifndef HOTPATCH_BUILD_EXPLAIN_H
#define HOTPATCH_BUILD_EXPLAIN_H

#include "cli/build/build_state.h"
#include "cli/build/selected.h"
#include "cli/build/unit_pair.h"

/* Say more in `why` of the functions whose code changed. `pairs` are the selection's. */
void build_explain(const struct build_run *run, const struct unit_pair *pairs,
                   struct selection *selection);

#endif
