/*
 * engine_load.h - loads libhotpatch_engine.so into the process.
 */
#ifndef HOTPATCH_ENGINE_LOAD_H
#define HOTPATCH_ENGINE_LOAD_H

#include <stdbool.h>

#include "base/engine_api.h"

/* Constructor: find the directory of the shim itself, in which the engine lies too. The engine gets `services`. */
void engine_load_start(const struct shim_services *services);
/* Load the engine, with the engine lock held: the listener on the worker, a host thread itself. Return 0, or -1 with
 * HP-ENGINE, HP-BUSY, HP-CHROOT or HP-MEMORY. */
int engine_load(struct refusal *why);
/* Return whether a library that the engine needs was in the process before the engine. */
bool engine_load_was_there(const char *name);
void engine_load_reset(void); /* in a forked child */

#endif
