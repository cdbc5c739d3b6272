/*
 * thin_kept.h - the variables that thin objects have added, by target and key: a later thin object with the same
 * variable uses the same memory, so that the value is kept over reloads. Memory of a record is never unmapped: the
 * object that brought it stays mapped.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_KEPT_H
#define HOTPATCH_THIN_KEPT_H

#include <stdbool.h>
#include <stdint.h>

/* Find a variable of the target with that build-id. */
bool thin_kept_find(const char *build_id, const char *key, uint64_t *at);
/* Record a variable, unless one of that key is recorded. Return 0, or -1: no memory, and its value is not kept. */
int thin_kept_add(const char *build_id, const char *key, uint64_t at);

#endif
