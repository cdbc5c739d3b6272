/* deferred.h - what time brings: words to be looked at again, injections that end by themselves. */
#ifndef HOTPATCH_DEFERRED_H
#define HOTPATCH_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/request.h"

void deferred_plan(void);   /* after every transaction */
uint64_t deferred_at(void); /* engine_api.h */
bool deferred_do(struct request *request);

#endif
