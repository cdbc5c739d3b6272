/*
 * decoder.h - loads libZydis when the first function's entry is to be read.
 *
 * A host that is patched only at declared slots does not need it: its 2,500 relocations are a tenth of the cost of
 * the first request, and 28 kB of private memory.
 *
 * Listener (or the thread that runs the constructor), with the engine lock held, outside of objects_locked(): there
 * the worker could not load it.
 */
#ifndef HOTPATCH_DECODER_H
#define HOTPATCH_DECODER_H

#include <stdint.h>

#include "base/refusal.h"

/* Load libZydis. From then on instruction_decode() works, or decoder_problem() returns the reason; requests that need
 * no entry work without it. Return 0, or -1 with HP-MEMORY, HP-BUSY, HP-DEADLINE. */
int decoder_load(uint64_t deadline, struct refusal *why);
/* Return NULL if libZydis is loaded, or the reason why it could not be: a changed root, a filter. */
const char *decoder_problem(void);

#endif
