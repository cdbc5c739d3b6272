/*
 * calls_allowed.h - may the doorbell's handler make system calls of its own on a thread of the host?
 */
#ifndef HOTPATCH_CALLS_ALLOWED_H
#define HOTPATCH_CALLS_ALLOWED_H

#include <stdbool.h>

/* Any thread, signal handlers too; makes none itself. */
bool calls_allowed(void);

#endif
