/*
 * module_place.h - make the copy that ld.so loads, and afterwards find the addresses of the loaded functions and data.
 *
 * Called by the thread that holds the engine lock; the listener writes the copy.
 */
#ifndef HOTPATCH_MODULE_PLACE_H
#define HOTPATCH_MODULE_PLACE_H

#include "base/refusal.h"

struct module;

/* Write the private copy that will be loaded. Return 0, or -1 with `why`. */
int module_snapshot(struct module *module, struct refusal *why);
/* Remove the copy after a refusal. */
void module_drop_snapshot(struct module *module);
/* Remove the copy and forget its names: another copy will be made. */
void module_forget_snapshot(struct module *module);

/* Convert the file's addresses into the process's, after module_dlopen(). Return 0, or -1 if ld.so does not list the
 * object. */
int module_place(struct module *module);

#endif
