/* decoder_need.h - does a transaction have to decode code? */
#ifndef HOTPATCH_DECODER_NEED_H
#define HOTPATCH_DECODER_NEED_H

#include <stdbool.h>

struct transaction;

/* May the plan come to read a function's entry? Where every target names a declared slot, it does
 * not. Runs on whichever thread holds the engine lock. */
bool decoder_is_needed(const struct transaction *transaction);

#endif
