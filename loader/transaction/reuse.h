/*
 * reuse.h - modules that are loaded again go on in the mapping of a reverted module with the same content.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_REUSE_H
#define HOTPATCH_REUSE_H

#include "loader/transaction/state.h"

/* Give modules to load such mappings, where it is safe. */
void reuse_mappings(struct transaction *transaction);

#endif
