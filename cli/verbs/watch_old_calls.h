/*
 * watch_old_calls.h - names the threads that still run the old code of a function that hotpatch watch has switched: a
 * call that does not return.
 */
#ifndef HOTPATCH_WATCH_OLD_CALLS_H
#define HOTPATCH_WATCH_OLD_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/verbs/watch_processes.h"

struct watch_old_calls {
    char **said; /* the calls that were named, and are still there */
    size_t count;
    uint64_t next; /* ms: the look; 0: none is due */
};

/* Look a while after a switch: a call that is under way at the switch may return. */
void watch_old_calls_later(struct watch_old_calls *calls);
/* Ask the processes, if it is time, and print calls that were not printed yet. */
void watch_old_calls_look(struct watch_old_calls *calls, const struct watch_processes *processes);
/* Return the time of the look; UINT64_MAX: none. */
uint64_t watch_old_calls_next(const struct watch_old_calls *calls);
void watch_old_calls_free(struct watch_old_calls *calls);

#endif
