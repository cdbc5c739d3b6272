/*
 * engine.h - the engine as the shim sees it: a table of functions that dlsym(3) finds.
 */
#ifndef HOTPATCH_ENGINE_H
#define HOTPATCH_ENGINE_H

#include "base/engine_api.h"

extern const struct engine_api hotpatch_engine_v1;

#endif
