/*
 * select_data.h - what an edit changes beside functions: constants, initial values, sections with a meaning of their own.
 */
#ifndef HOTPATCH_SELECT_DATA_H
#define HOTPATCH_SELECT_DATA_H

#include "cli/build/selecting.h"

/* Refuse changed sections that are neither code nor data, and changed constants that code outside of the patch reads;
 * note initial values that changed. After the closure. */
void select_data(struct selecting *selecting);

#endif
