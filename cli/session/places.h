/*
 * places.h - the functions that an order's lines name, looked up for each process before the order
 * is sent; see lookup.h.
 */
#ifndef HOTPATCH_PLACES_H
#define HOTPATCH_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/session/client_request.h"

struct places;

/*
 * Fills `places` of every request, and `answer` of those whose targets cannot be meant. NULL where
 * the order has no lookup. The requests' places are freed with the rest.
 */
struct places *places_find(struct session_request *requests, size_t count,
                           const struct client_request *client_request);
void places_free(struct places *places, struct session_request *requests);

/* What is to be said of calls that keep the old code: into an answer's warnings, or on stderr. */
void places_warn(const struct places *places, struct json_object *reply);
void places_warn_group(const struct places *places, bool failed);

#endif
