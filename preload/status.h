/*
 * status.h - what this process says of itself: the history, PID.json, the reply to `status`.
 *
 * Listener only, holding the engine lock where it calls the engine. The layouts are those of
 * libhotpatch_preload(7), "Replies and status".
 */
#ifndef HOTPATCH_STATUS_H
#define HOTPATCH_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define STATUS_HISTORY 100     /* records kept, and told by `status` */
#define STATUS_FILE_HISTORY 32 /* the newest, in PID.json: it is written at every request */

/* The listener's start: what does not change. No allocation, for a host that is starting too. */
void status_start(void);
/* PID.json without allocating, before the first request. */
void status_write_first(void);

/* An open history record with "n", "time", "id" and "verb". */
void status_record_begin(struct json *record, const char *id, const char *verb);
/* Closes it and takes it over. */
void status_record_end(struct json *record, uint64_t microseconds);
void status_count_request(void);

/* The whole document, as member `key` or, NULL, as itself. */
void status_document(struct json *json, const char *key);
/* PID.json. 0 or -errno. */
int status_write(void);
bool status_is_long(void); /* what was last written */

/* Why requests are refused, NULL: they are not. */
void status_set_sandbox(const char *text);

/* Any thread. */
const char *status_program(void); /* what /proc/self/exe said at the start */
uint64_t status_start_time(void); /* field 22 of /proc/PID/stat */
/* Forked child, before engine_reset_locks(): drop the history where the fork came while it was changed. */
void status_reset(void);

#endif
