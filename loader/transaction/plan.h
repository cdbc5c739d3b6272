/*
 * plan.h - from requests to changes: which layers every slot concerned will have.
 *
 * Nothing of the process is changed here, and all that is wrong is listed, not the first thing alone. Runs on whichever
 * thread holds the engine lock.
 */
#ifndef HOTPATCH_PLAN_H
#define HOTPATCH_PLAN_H

#include "loader/transaction/state.h"

/* Read the files of all load requests. 0, or -1 with `why`. */
int plan_read_files(struct transaction *transaction);

/* Make the changes of all requests. 0, or -1 with `why`. Inside objects_locked(). */
int plan_make(struct transaction *transaction);

/* Take the modules that plan_make() found to be live already from the list of those to load. 0, or -1 with `why`. */
int plan_drop_unchanged(struct transaction *transaction);

/* Add one more replacement, named by a hook, to the module. 0, or -1 with `why`. Not inside objects_locked(). */
int plan_add(struct transaction *transaction, struct module *module, const char *target,
             const char *signature, uintptr_t function, uintptr_t *original);

#endif
