/*
 * module_load.h - the steps of loading that belong to the dynamic linker.
 *
 * Worker only: constructors and destructors of the patch run here, and ld.so's load lock may be waited for.
 */
#ifndef HOTPATCH_MODULE_LOAD_H
#define HOTPATCH_MODULE_LOAD_H

#include <stddef.h>

struct module;

/* Call dlopen(3) of the snapshot. 0, or -1 with the linker's words in `error`. */
int module_dlopen(struct module *module, char *error, size_t error_size);

/* Call dlclose(3). 0: it is gone; 1: ld.so keeps it mapped. */
int module_dlclose(struct module *module);

#endif
