/*
 * shim_active.h - check whether the shim works in this process: its constructor has run and did not stop early. Any
 * thread, also in signal handlers; memory alone.
 */
#ifndef HOTPATCH_SHIM_ACTIVE_H
#define HOTPATCH_SHIM_ACTIVE_H

#include <stdbool.h>

bool shim_active(void);
/* Constructor: from now on the functions that the shim exports in place of libc's do more than call libc's. */
void shim_activate(void);

#endif
