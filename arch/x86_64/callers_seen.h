/*
 * callers_seen.h - instructions whose effects are known already, by their bytes: the analysis reads most
 * functions several times, and most instructions of a program occur many times in it.
 *
 * Inside arch/ only. One thread at a time.
 */
#ifndef HOTPATCH_CALLERS_SEEN_H
#define HOTPATCH_CALLERS_SEEN_H

#include "arch/x86_64/callers_effects.h"

enum { SEEN_BYTES = 16 }; /* are read where an instruction is looked up */

struct seen;

struct seen *seen_make(void); /* NULL: no memory */
void seen_free(struct seen *seen);
size_t seen_memory(void);

/*
 * As effects_decode(), of `size` bytes; zeros follow them, up to SEEN_BYTES. `seen` may be NULL.
 * What is found is what effects_decode() would say.
 */
bool seen_decode(struct seen *seen, const uint8_t *code, size_t size, uint64_t address,
                 struct effects *out);

#endif
