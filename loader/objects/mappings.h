/* mappings.h - check how near the process is to the number of mappings that the kernel allows. Called with the engine
 * lock held. */
#ifndef HOTPATCH_MAPPINGS_H
#define HOTPATCH_MAPPINGS_H

#include <stddef.h>

#include "base/refusal.h"

/* The number of mappings that a load is assumed to need: the segments of a patch, and stubs. */
#define MAPPINGS_PER_LOAD 16

/* Return vm.max_map_count, or the kernel's default if the file cannot be read. */
size_t mappings_limit(void);

/*
 * Refuse `loads` patches with HP-MAPPINGS if less than a sixteenth of `limit` would stay free for the program. Above
 * `limit` the program's next mmap(2) fails. Return 0, or -1 with `why`.
 */
int mappings_check(size_t loads, size_t limit, struct refusal *why);

#endif
