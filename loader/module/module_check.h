/*
 * module_check.h - does a patch fit this process? Asked before any of its code can run.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_CHECK_H
#define HOTPATCH_MODULE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

struct module;

/* Refuse every undefined symbol of the patch that the process cannot supply. Inside objects_locked(). Adds to
 * `why`. */
void module_check_undefined(struct module *module, struct refusal *why);

/* Ask ld.so about the symbols that module_check_undefined() could not decide. 0, or -1 with `why`. Not inside
 * objects_locked(). */
int modules_check_doubts(struct module *const *modules, size_t count, uint64_t deadline,
                         struct refusal *why);

/* Compare each HOTPATCH_TARGET with the objects of the process. Adds to `why`. */
void module_check_targets(const struct module *module, struct refusal *why);

#endif
