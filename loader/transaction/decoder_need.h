/* decoder_need.h - find whether a transaction has to decode code. */
#ifndef HOTPATCH_DECODER_NEED_H
#define HOTPATCH_DECODER_NEED_H

#include <stdbool.h>

struct transaction;

/* Return whether the plan may read a function's entry. If every target names a declared slot, it does not. Called by
 * the thread that holds the engine lock. */
bool decoder_is_needed(const struct transaction *transaction);

#endif
