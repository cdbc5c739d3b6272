/* mappings.h - how near the process is to the number of mappings that the kernel allows. Engine lock. */
#ifndef HOTPATCH_MAPPINGS_H
#define HOTPATCH_MAPPINGS_H

#include <stddef.h>

#include "base/refusal.h"

/* What a load is reckoned to need: the segments of a patch, and stubs. */
#define MAPPINGS_PER_LOAD 16

/* vm.max_map_count, or the kernel's default where it cannot be read. */
size_t mappings_limit(void);

/*
 * Refuse `loads` patches with HP-MAPPINGS where less than a sixteenth of `limit` would stay free for
 * the program, whose next mmap(2) would fail beyond it. 0, or -1 with `why`.
 */
int mappings_check(size_t loads, size_t limit, struct refusal *why);

#endif
