/*
 * engine.h - what the parts of the engine share: the services of the shim and the clock.
 */
#ifndef HOTPATCH_ENGINE_H
#define HOTPATCH_ENGINE_H

#include <stdint.h>
#include <time.h>

#include "base/services.h"

const char *engine_program_path(void);
uint64_t engine_now_ms(void);           /* CLOCK_MONOTONIC */
uint64_t engine_now_us(void);           /* CLOCK_MONOTONIC */
struct timespec engine_wall_time(void); /* CLOCK_REALTIME, for people */

#endif
