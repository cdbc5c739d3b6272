/*
 * services.h - the services of the shim, and the files that it opens for the engine.
 */
#ifndef HOTPATCH_SERVICES_H
#define HOTPATCH_SERVICES_H

#include "base/engine_api.h"

const struct shim_services *shim(void); /* NULL: this is no process with a shim, but a unit test */
void services_set(const struct shim_services *given);

/* open(2) for reading of what a jail may not have: files in /proc. Listener: others get what the root
 * directory has. */
int host_open(const char *path, int flags);

#endif
