/*
 * request_lookup.h - looks up the functions that the lines of a request name, for each process, before the request is
 * sent; see lookup.h.
 */
#ifndef HOTPATCH_REQUEST_LOOKUP_H
#define HOTPATCH_REQUEST_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/session/client_request.h"

struct request_lookup;

/*
 * Set `places` of every request, and `reply` of those with a target that is refused. Return NULL where the request has
 * no lookup.
 */
struct request_lookup *request_lookup_run(struct session_request *requests, size_t count,
                                          const struct client_request *client_request);
/* Free it and the places of the requests. */
void request_lookup_free(struct request_lookup *found, struct session_request *requests);

/* Add the warnings about calls that keep the old code to a reply, or print them on stderr. */
void request_lookup_warn(const struct request_lookup *found, struct json_object *reply);
void request_lookup_warn_group(const struct request_lookup *found, bool failed);

#endif
