/*
 * injection.h - injections: replacements without a patch's file, which return a value and set errno.
 *
 * The functions of arch/injection.h are handed out. One is used again only when no thread can be in it any more since
 * before its injection was reverted. Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_INJECTION_H
#define HOTPATCH_INJECTION_H

#include <stdint.h>

#include "base/refusal.h"
#include "base/request.h"
#include "loader/slots/injection_decide.h"

/* Take an injection for a request, and copy its target into `target`. NULL with `why`. */
struct injection *injection_new(const struct request_injection *request, char *target,
                                size_t target_size, struct refusal *why);

/* Give it back: it was reverted, or the request for it was refused or tried only. If a thread may be in its function,
 * its counters and the address of the original stay for a while. */
void injection_end(struct injection *injection);

/* Return the address of the function that replaces. */
uintptr_t injection_function(const struct injection *injection);

#endif
