/* clock.h - the clock that deadlines of requests count by. */
#ifndef HOTPATCH_CLI_CLOCK_H
#define HOTPATCH_CLI_CLOCK_H

#include <stdint.h>

/* Return the milliseconds of CLOCK_MONOTONIC. */
uint64_t now_ms(void);
/* Return the same with its fraction. */
double precise_ms(void);

#endif
