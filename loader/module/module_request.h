/*
 * module_request.h - what a request says of a patch besides its file: which symbols replace what, and where its
 * targets were looked up. It is copied, since the strings of the request go with the request, and a reload has to
 * repeat it.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_REQUEST_H
#define HOTPATCH_MODULE_REQUEST_H

#include <stdbool.h>

#include "base/request.h"

struct module;

/* Copy what `load` says. 0, or -1: no memory; module_free_request() frees what was copied. */
int module_keep_request(struct module *module, const struct request *load);
/* Were both modules loaded by requests that say the same? */
bool module_same_request(const struct module *a, const struct module *b);
/* Let `load` load the module again. The strings stay the module's. */
void module_repeat_request(const struct module *module, struct request *load);
void module_free_request(struct module *module);

#endif
