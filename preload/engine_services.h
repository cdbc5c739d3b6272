/*
 * engine_services.h - the shim's services for the engine (engine_api.h).
 */
#ifndef HOTPATCH_ENGINE_SERVICES_H
#define HOTPATCH_ENGINE_SERVICES_H

#include "base/engine_api.h"

extern const struct shim_services engine_services;

#endif
