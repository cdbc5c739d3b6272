/*
 * thin_module.h - a thin object (.hpo) as a patch: it is read, linked for a place near its target, and from then on
 * loaded, applied and reverted as any other module.
 *
 * Called by the thread that holds the engine lock; the listener links.
 */
#ifndef HOTPATCH_THIN_MODULE_H
#define HOTPATCH_THIN_MODULE_H

#include "base/refusal.h"

struct module;

/* Read a thin object: `bytes` of the module become its own. Return 0, or -1 with `why`. */
int thin_module_read(struct module *module, struct refusal *why);
/* Find the target in the process. Called inside objects_locked(), at each plan. Return 0, or -1 with `why`. */
int thin_module_find(struct module *module, struct refusal *why);
/* Link it for a place, unless that is done: `bytes` of the module are what ld.so loads. Called inside objects_locked(),
 * after thin_module_find(). Return 0, or -1 with `why`. */
int thin_module_link(struct module *module, struct refusal *why);
/* ld.so did not map it at its place: the next thin_module_link() finds another. Return 0, or -1 with `why` after
 * THIN_TRIES. */
int thin_module_again(struct module *module, struct refusal *why);

/* Record, after the commit, the variables that stay in the process. Return 0, or -1: no memory for all. */
int thin_module_applied(struct module *module);

#endif
