/*
 * maps_at.h - find the mapping at one address of this process.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. After maps_keep(),
 * maps_at() allocates.
 */
#ifndef HOTPATCH_MAPS_AT_H
#define HOTPATCH_MAPS_AT_H

#include "loader/objects/maps.h"

/* Find the mapping at `address`. Return false if nothing is mapped there, or if the mappings cannot be read. */
bool maps_at(uintptr_t address, struct mapping *out);
/* Let maps_at() answer from one reading, without paths, until maps_forget(). For many functions of objects that stay
 * mapped. */
void maps_keep(void);
void maps_forget(void);
/* Forget, in the child of fork(2), the mappings that the parent has read. */
void maps_after_fork(void);

#endif
