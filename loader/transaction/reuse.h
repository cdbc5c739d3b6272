/*
 * reuse.h - load a module again in the mapping of a reverted module with the same content.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_REUSE_H
#define HOTPATCH_REUSE_H

#include "loader/transaction/state.h"

/* Give such mappings to modules that are to be loaded, if that is safe. */
void reuse_mappings(struct transaction *transaction);

#endif
