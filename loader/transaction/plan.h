/*
 * plan.h - make the changes of slots from the requests: which layers every slot will have.
 *
 * No function of this file changes the process. A refusal lists all errors, not only the first. Called by the thread
 * that holds the engine lock.
 */
#ifndef HOTPATCH_PLAN_H
#define HOTPATCH_PLAN_H

#include "loader/transaction/state.h"

/* Read the files of all load requests. Return 0, or -1 with `why`. */
int plan_read_files(struct transaction *transaction);

/* Make the changes of all requests. Return 0, or -1 with `why`. Called inside objects_locked(). */
int plan_make(struct transaction *transaction);

/* Remove the modules that plan_make() found to be live already from the list of modules to load. Return 0, or -1 with
 * `why`. */
int plan_drop_unchanged(struct transaction *transaction);

/* Add a replacement that a hook names to the module. Return 0, or -1 with `why`. Called outside objects_locked(). */
int plan_add(struct transaction *transaction, struct module *module, const char *target,
             const char *signature, uintptr_t function, uintptr_t *original);

#endif
