/*
 * baseline_functions.h - finds each function of the object in the binary and compares it. For the files baseline*.c
 * alone.
 */
#ifndef HOTPATCH_BASELINE_FUNCTIONS_H
#define HOTPATCH_BASELINE_FUNCTIONS_H

#include "resolve/baseline_work.h"

/* List the object's functions. 0, or -1: no memory. */
int functions_list(struct baseline_work *work);
/* Compare all functions, or only those that other files can name (`global`), with work->group. */
void functions_compare(struct baseline_work *work, bool global);
/* Undo functions_compare(). */
void functions_forget(struct baseline_work *work);
/* Check what leads into the middle of functions; count the verdicts. */
void functions_finish(struct baseline_work *work);

#endif
