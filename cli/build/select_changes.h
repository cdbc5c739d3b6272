/*
 * select_changes.h - decide which functions the edit changes, which old entries lead to the new code, and why.
 */
#ifndef HOTPATCH_SELECT_CHANGES_H
#define HOTPATCH_SELECT_CHANGES_H

#include "cli/build/selecting.h"

/* Compare all units, and fill the plans of their functions. What cannot be changed is refused. */
void select_changes(struct selecting *selecting);

/* Return whether a name that units do not define means another function or variable after the edit: the edit defines it,
 * or the function changes together with its callers. */
bool select_means_another(const char *name, void *selecting);

/* Find the external entity of that name that another unit had, and has no more. Return false: none. */
bool select_moved_from(const struct selecting *selecting, uint32_t unit, uint32_t entity,
                       uint32_t *from, uint32_t *before);

#endif
