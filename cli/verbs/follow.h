/* follow.h - hotpatch load --follow: loads patches again whenever their files are rebuilt. */
#ifndef HOTPATCH_FOLLOW_H
#define HOTPATCH_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/process/process_targets.h"
#include "cli/session/client_request.h"

struct follow;

/* Begin to watch, before the first load, so that no rebuild is missed. The paths are the caller's. */
struct follow *follow_begin(const char *const *paths, size_t count);
void follow_end(struct follow *follow); /* NULL is allowed */

/* Load until every process has ended, or SIGINT, SIGTERM or SIGHUP comes. Return 0. */
int follow_run(struct follow *follow, struct process_targets *targets,
               const struct client_request *client_request, bool json);

#endif
