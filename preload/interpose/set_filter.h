/*
 * set_filter.h - the calls by which the host sets a seccomp filter: prctl(2) and seccomp(2).
 */
#ifndef HOTPATCH_SET_FILTER_H
#define HOTPATCH_SET_FILTER_H

#include <stdbool.h>

/* Return whether the call `number`, SYS_prctl or SYS_seccomp, with the first argument `operation` sets a filter. */
bool set_filter_is(long number, unsigned long operation);
/* Make such a call, on a host thread, and record the filter that it sets (filters.h). */
long set_filter(long number, long a, long b, long c, long d, long e);

#endif
