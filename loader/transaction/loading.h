/*
 * loading.h - the dynamic linker's part of a transaction: its modules are loaded, and closed again where it is refused.
 *
 * Runs on whichever thread holds the engine lock; dlopen(3) and dlclose(3) are called on the worker.
 */
#ifndef HOTPATCH_LOADING_H
#define HOTPATCH_LOADING_H

#include "loader/transaction/state.h"

/* Load the modules, or take those that are mapped already as they are. 0; -1 with `why`: they are closed again. */
int modules_load(struct transaction *transaction);
/* Close the modules again, after modules_load(). */
void modules_unload(struct transaction *transaction);
/* Retire the modules that the worker was late with and has closed since. */
void modules_retire_returned(void);

/* Return whether the module needs no dlopen(3): an injection has no file, a reused mapping stays. */
bool module_is_in_process(const struct module *module);

#endif
