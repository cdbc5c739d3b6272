/*
 * module_load.h - the steps of loading that the dynamic linker does.
 *
 * Called by the worker only: constructors and destructors of the patch run here, and the calls may wait for ld.so's
 * load lock.
 */
#ifndef HOTPATCH_MODULE_LOAD_H
#define HOTPATCH_MODULE_LOAD_H

#include <stddef.h>

struct module;

enum { MODULE_MISPLACED = 1 };

/* Call dlopen(3) for the snapshot. Return 0; -1 with ld.so's text in `error`; MODULE_MISPLACED if ld.so maps a thin
 * object at another place than it is linked for: it is closed again. */
int module_dlopen(struct module *module, char *error, size_t error_size);

/* Call dlclose(3). Return 0 if the object is unmapped; 1 if ld.so keeps it mapped. */
int module_dlclose(struct module *module);

#endif
