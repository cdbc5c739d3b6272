/* safe_point.h - the moment `when=safe-point` waits for; the contract is in engine_api.h. */
#ifndef HOTPATCH_SAFE_POINT_H
#define HOTPATCH_SAFE_POINT_H

#include <stdbool.h>
#include <stdint.h>

/* Report that the calling host thread is at a safe point. Part of the run-time API (api.h). Also called in signal
 * handlers. */
__attribute__((visibility("default"))) void hotpatch_api_safe_point(void);

int safe_point_run(void (*commit)(void *), void *context, uint64_t until); /* listener */
bool safe_point_awaited(void);                                             /* any thread */
void safe_point_reset(void);                                               /* in a forked child */

#endif
