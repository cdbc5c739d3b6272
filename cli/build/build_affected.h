/*
 * build_affected.h - which units of the target an edit concerns.
 */
#ifndef HOTPATCH_BUILD_AFFECTED_H
#define HOTPATCH_BUILD_AFFECTED_H

#include "cli/build/build_state.h"

/* Fill `affected` of the run: the units that are compiled from a file of the edit, and one for each new source of the target.
 * Return 0, or -1 with HP-COMPILE where the files that a unit includes cannot be learned. */
int build_find_affected(struct build_run *run, struct refusal *why);
/* Learn which files the units include that may be of the target and whose files are not known yet. */
int build_learn_files(struct build *build, const struct overlay *overlay, struct unit **units,
                      size_t count, struct refusal *why);

/* Refuse an edit of sources that the target is made of, as their names say, and that no command compiles: the patch would have a
 * part of the edit. After build_find_affected(). */
int build_check_commands(const struct build_run *run, struct refusal *why);

#endif
