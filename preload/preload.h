/* preload.h - whether the shim is at work in this process. Any thread. */
#ifndef HOTPATCH_PRELOAD_H
#define HOTPATCH_PRELOAD_H

#include <stdbool.h>

bool preload_active(void);

/* Before the memory is copied for a child: wait until no request is under way, 200 ms at most, and keep the
 * next one from beginning until engine_fork_parent(), in the child engine_copy_child(). */
void preload_before_fork(void);
/* The same before a copy of the process that is made past fork(3): 1 s at most. */
void preload_before_copy(void);

#endif
