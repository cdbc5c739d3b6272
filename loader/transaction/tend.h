/* tend.h - what time brings: words to be looked at again, faults that end by themselves. */
#ifndef HOTPATCH_TEND_H
#define HOTPATCH_TEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/request.h"

void tend_plan(void);   /* after every transaction */
uint64_t tend_at(void); /* engine_api.h */
bool tend_do(struct request *request);

#endif
