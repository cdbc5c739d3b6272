/*
 * module_read.h - read and check the file of a patch, without running its code.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held.
 */
#ifndef HOTPATCH_MODULE_READ_H
#define HOTPATCH_MODULE_READ_H

#include "base/refusal.h"
#include "base/request.h"

struct module;

/*
 * Read the patch of a load request: open, check and copy the file, and read its manifest. Return the module, which the
 * caller owns until module_keep(); or NULL with `why`, which lists all errors.
 */
struct module *module_read(const struct request *load, struct refusal *why);

/* Return the module of a fail= request, with the same ownership and errors. */
struct module *module_of_injection(const struct request *load, struct refusal *why);

#endif
