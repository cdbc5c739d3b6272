/* wall_time.h - a moment as text: ISO 8601, UTC, milliseconds. */
#ifndef HOTPATCH_WALL_TIME_H
#define HOTPATCH_WALL_TIME_H

#include <stddef.h>
#include <time.h>

/* Any thread, no lock, no memory. `buffer` of 32 bytes is enough. */
void wall_time_text(const struct timespec *when, char *buffer, size_t size);

#endif
