/*
 * deferred.h - steps that follow later, without a request. Words and hits are read again after a commit. Injections are
 * reverted when their time is over.
 *
 * Called by the listener with the engine lock held, except deferred_at().
 */
#ifndef HOTPATCH_DEFERRED_H
#define HOTPATCH_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/request.h"

void deferred_plan(void);   /* called after every transaction */
uint64_t deferred_at(void); /* engine_api.h */
bool deferred_do(struct request *request);

#endif
