/*
 * module_check.h - find whether a patch fits this process, before any code of the patch can run.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_CHECK_H
#define HOTPATCH_MODULE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

struct module;

/* Refuse every undefined symbol of the patch that the process cannot supply, and add it to `why`. Called inside
 * objects_locked(). */
void module_check_undefined(struct module *module, struct refusal *why);

/* Ask ld.so about the symbols that module_check_undefined() could not decide. Return 0, or -1 with `why`. Called
 * outside objects_locked(). */
int modules_check_doubts(struct module *const *modules, size_t count, uint64_t deadline,
                         struct refusal *why);

/* Compare each HOTPATCH_TARGET with the objects of the process. Add differences to `why`. */
void module_check_targets(const struct module *module, struct refusal *why);

#endif
