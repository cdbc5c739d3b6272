/*
 * services.h - the services of the shim, and the files that it opens for the engine.
 */
#ifndef HOTPATCH_SERVICES_H
#define HOTPATCH_SERVICES_H

#include "base/engine_api.h"

const struct shim_services *shim(void); /* NULL: no shim in this process, but a unit test */
void services_set(const struct shim_services *given);

/* Open a file for reading that a jail may not have: files in /proc. Listener; other threads get only files of the
 * root directory. */
int host_open(const char *path, int flags);

#endif
