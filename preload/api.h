/*
 * api.h - the run-time API that hotpatch.h reaches through the GOT. All of these are exported.
 *
 * Host threads, at any time.
 */
#ifndef HOTPATCH_API_H
#define HOTPATCH_API_H

#include "base/engine_api.h"

#define EXPORTED __attribute__((visibility("default")))

/* Register a slot. Return 0; -ENOSYS: the shim is not active here; -EINVAL: another signature is registered under the
 * name; -ENOMEM. The slot must live as long as the process. */
EXPORTED int hotpatch_api_register(const char *name_space, const char *name, const char *signature,
                                   hotpatch_function fallback, struct hotpatch_slot **slot);
EXPORTED struct hotpatch_slot *hotpatch_api_lookup(const char *name_space, const char *name);
/* Return 0; -ENOSYS, -ENOENT, -EINVAL, -ENOMEM; -EDEADLK on the shim's own threads; -EBUSY while a request waits. */
EXPORTED int hotpatch_api_set(struct hotpatch_slot *slot, hotpatch_function function,
                              void *context);
EXPORTED int hotpatch_api_restore(struct hotpatch_slot *slot);
EXPORTED int hotpatch_api_on_change(void (*handler)(void *), void *context);
/* Log the call of a required slot without a provider: its 1st, 2nd, 4th, 8th ... call. */
EXPORTED void hotpatch_api_unfilled(struct hotpatch_slot *slot);

/* Return the heads of the lists, for the engine. */
struct registered_slot *api_registered(void);
struct change_handler *api_handlers(void);

void api_reset(void); /* in a forked child */

#endif
