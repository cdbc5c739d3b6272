/*
 * module_place.h - a module's way into the process: the copy that ld.so is given, and afterwards the addresses of what
 * it has loaded.
 *
 * Runs on whichever thread holds the engine lock; the copy is written by the listener.
 */
#ifndef HOTPATCH_MODULE_PLACE_H
#define HOTPATCH_MODULE_PLACE_H

#include "base/refusal.h"

struct module;

/* Write the private copy that will be loaded. 0, or -1 with `why`. */
int module_snapshot(struct module *module, struct refusal *why);
/* Remove that copy, after a refusal. */
void module_drop_snapshot(struct module *module);

/* Turn the file's addresses into the process's, after module_dlopen(). 0, or -1: ld.so does not list the object. */
int module_place(struct module *module);

#endif
