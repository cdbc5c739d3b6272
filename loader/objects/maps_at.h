/*
 * maps_at.h - what is mapped at one address of this process.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. maps_keep() lets maps_at() allocate.
 */
#ifndef HOTPATCH_MAPS_AT_H
#define HOTPATCH_MAPS_AT_H

#include "loader/objects/maps.h"

/* Find what is mapped at `address`. Return false where nothing is, or where the mappings cannot be read. */
bool maps_at(uintptr_t address, struct mapping *out);
/* Until maps_forget(), let maps_at() answer out of one reading, without paths: for many functions of objects that
 * stay. */
void maps_keep(void);
void maps_forget(void);
/* In the child of fork(2): forget what the parent has read. */
void maps_after_fork(void);

#endif
