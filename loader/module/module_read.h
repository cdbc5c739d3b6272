/*
 * module_read.h - read and check the file of a patch, without running any of its code.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock.
 */
#ifndef HOTPATCH_MODULE_READ_H
#define HOTPATCH_MODULE_READ_H

#include "base/refusal.h"
#include "base/request.h"

struct module;

/*
 * Read the patch of a load request: open, check and copy the file, and understand its manifest. Return NULL with
 * `why`, which lists all that is wrong. The module is the caller's until module_keep().
 */
struct module *module_read(const struct request *load, struct refusal *why);

/* Return the module of a fail= request, likewise. */
struct module *module_of_injection(const struct request *load, struct refusal *why);

#endif
