/*
 * loading.h - the steps of a transaction that the dynamic linker does. The modules are loaded, and closed again if the
 * transaction is refused.
 *
 * Called by the thread that holds the engine lock; dlopen(3) and dlclose(3) are called on the worker.
 */
#ifndef HOTPATCH_LOADING_H
#define HOTPATCH_LOADING_H

#include "loader/transaction/state.h"

enum { MODULES_MISPLACED = 1 };

/* Load the modules. Modules that are mapped already are used as they are. Return 0; -1 with `why` after closing the
 * modules again; MODULES_MISPLACED if ld.so did not map a thin object at its place: the modules are closed again, and the
 * thin object has no copy and no place. */
int modules_load(struct transaction *transaction);
/* Close the modules again, after modules_load(). */
void modules_unload(struct transaction *transaction);
/* Retire the modules that the worker closed after the deadline. */
void modules_retire_returned(void);

/* Return whether the module needs no dlopen(3): an injection has no file, a reused mapping stays. */
bool module_is_in_process(const struct module *module);

#endif
