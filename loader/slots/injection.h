/*
 * injection.h - injections: replacements without a patch's file, which return a value and set errno.
 *
 * The functions of arch/injection.h are used. A function is used again only when no thread can have been in it since
 * before its injection was reverted. Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_INJECTION_H
#define HOTPATCH_INJECTION_H

#include <stdint.h>

#include "base/refusal.h"
#include "base/request.h"
#include "loader/slots/injection_decide.h"

/* Take an injection for a request, and copy its target into `target`. Return NULL with `why` on an error. */
struct injection *injection_new(const struct request_injection *request, char *target,
                                size_t target_size, struct refusal *why);

/* Give an injection back: it was reverted, or its request was refused or was a dry run. If a thread may be in its
 * function, its counters and the address of the original stay for a while. */
void injection_end(struct injection *injection);

/* Return the address of the replacement function. */
uintptr_t injection_function(const struct injection *injection);

#endif
