/*
 * module_request.h - the parts of a request that belong to a patch, besides its file: which symbols replace which
 * targets, and where the targets were looked up. They are copied: the strings of the request are freed with the
 * request, and a reload repeats it.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_REQUEST_H
#define HOTPATCH_MODULE_REQUEST_H

#include <stdbool.h>

#include "base/request.h"

struct module;

/* Copy the request `load` into the module. Return 0, or -1 if there is no memory; module_free_request() frees the
 * copied strings. */
int module_keep_request(struct module *module, const struct request *load);
/* Return whether the requests that loaded both modules say the same. */
bool module_same_request(const struct module *a, const struct module *b);
/* Fill `load` so that it loads the module again. The strings belong to the module. */
void module_repeat_request(const struct module *module, struct request *load);
void module_free_request(struct module *module);

#endif
