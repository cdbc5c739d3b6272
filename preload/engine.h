/*
 * engine.h - libhotpatch_engine.so: its loading, the lock that one request at a time holds, and
 * the services that it is given (engine_api.h).
 */
#ifndef HOTPATCH_ENGINE_LOAD_H
#define HOTPATCH_ENGINE_LOAD_H

#include <stdbool.h>

#include "base/engine_api.h"

void engine_locate(void); /* constructor: where the shim itself lies */
bool engine_loaded(void);
const struct engine_api *engine(void); /* NULL: not loaded */
/* Holding the lock. Listener: on the worker. Host thread: here. 0 or -1 with HP-ENGINE, HP-BUSY. */
int engine_load(struct refusal *why);

/* Listener, for a whole request; worker and host threads never wait for it without a limit. */
void engine_lock(void);
void engine_unlock(void);
/* Host thread: 0, -EDEADLK (on the worker, or in a commit), -EBUSY. */
int engine_lock_host(void);

/* fork(): the commit section is waited for (a second at most), a request only until `until`. */
void engine_fork_prepare(uint64_t until);
void engine_fork_parent(void);
void engine_fork_child(void);
bool engine_fork_held(void);  /* the calling thread holds what it took for a child */
void engine_copy_child(void); /* a child that fork handlers know nothing of: the locks alone */
bool engine_fork_torn(void);  /* the last fork came in the middle of a request */

#endif
