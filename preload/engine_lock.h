/*
 * engine_lock.h - the loaded libhotpatch_engine.so, the engine lock, which each request holds, and the waits before
 * fork().
 */
#ifndef HOTPATCH_ENGINE_LOCK_H
#define HOTPATCH_ENGINE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/engine_api.h"

bool engine_loaded(void);
const struct engine_api *engine(void); /* NULL: not loaded */
/* Set the engine that engine_load.c has loaded and started. */
void engine_set(const struct engine_api *api);

/* Listener, for a whole request; worker and host threads never wait for it without a limit. */
void engine_lock(void);
void engine_unlock(void);
/* Host thread: take the lock. Return 0, -EDEADLK (on the worker, or in a commit), -EBUSY. */
int engine_lock_host(void);

/* See commit_begin, commit_end and arming in engine_api.h. */
void engine_commit_begin(void);
void engine_commit_end(void);
void engine_arming(bool begins);

/* Before fork(): wait for the end of the commit section, a second at most, and for a request until `until`. */
void engine_fork_prepare(uint64_t until);
/* In the parent: release the locks that engine_fork_prepare() has acquired. */
void engine_fork_parent(void);
/* Return whether the calling thread holds locks that engine_fork_prepare() has acquired. */
bool engine_fork_held(void);
/* In the child, before engine_reset_locks(): return whether the fork came during a request. */
bool engine_fork_torn(void);
/* In the child, also in a child that was made without fork(3): reset the locks. */
void engine_reset_locks(void);
/* In the child of fork(3): let the engine drop the request of the parent. */
void engine_reset(void);

#endif
