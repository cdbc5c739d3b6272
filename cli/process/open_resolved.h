/* open_resolved.h - openat2(2). */
#ifndef HOTPATCH_OPEN_RESOLVED_H
#define HOTPATCH_OPEN_RESOLVED_H

#include <linux/openat2.h>
#include <stdint.h>

/* Open `path` in `dir` for reading with further `flags` of open(2), and O_CLOEXEC. `resolve`: RESOLVE_... Return the
 * descriptor, or -1 with errno. */
int open_resolved(int dir, const char *path, int flags, uint64_t resolve);

#endif
