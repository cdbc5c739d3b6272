/*
 * deferred.h - what is done later, without a request: words and hits are read again after a commit, and injections end
 * whose time is up.
 *
 * Runs on the listener, holding the engine lock, but for deferred_at().
 */
#ifndef HOTPATCH_DEFERRED_H
#define HOTPATCH_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/request.h"

void deferred_plan(void);   /* after every transaction */
uint64_t deferred_at(void); /* engine_api.h */
bool deferred_do(struct request *request);

#endif
