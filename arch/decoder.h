/*
 * decoder.h - libZydis, which is loaded when the first function's entry is to be read.
 *
 * A host that is patched at declared slots alone is spared it: its 2,500 relocations are a tenth of
 * what the first request costs, and 28 kB of private memory.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock, outside of
 * objects_locked(): the worker could not load it there.
 */
#ifndef HOTPATCH_DECODER_H
#define HOTPATCH_DECODER_H

#include <stdint.h>

#include "base/refusal.h"

/* From then on instruction_decode() works, or decoder_problem() says why not: what needs no entry goes on
 * without. 0, or -1 with HP-MEMORY, HP-BUSY, HP-DEADLINE. */
int decoder_load(uint64_t deadline, struct refusal *why);
/* NULL: it is there. Else why it could not be loaded: a changed root, a filter. */
const char *decoder_problem(void);

#endif
