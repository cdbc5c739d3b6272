/*
 * callers_seen.h - a cache of the effects of instructions, by their bytes. The analysis reads most functions several
 * times, and most instructions of a program occur many times.
 *
 * Inside arch/ only. One thread at a time.
 */
#ifndef HOTPATCH_CALLERS_SEEN_H
#define HOTPATCH_CALLERS_SEEN_H

#include "arch/x86_64/callers_effects.h"

enum { SEEN_BYTES = 16 }; /* bytes that are read in a look-up */

struct seen;

struct seen *seen_make(void); /* NULL: no memory */
void seen_free(struct seen *seen);
size_t seen_memory(void);

/*
 * Do what effects_decode() does, for `size` bytes; zeros follow them, up to SEEN_BYTES. `seen` may be NULL. A cached
 * result is the same as that of effects_decode().
 */
bool seen_decode(struct seen *seen, const uint8_t *code, size_t size, uint64_t address,
                 struct effects *out);

#endif
