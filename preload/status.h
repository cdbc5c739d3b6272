/*
 * status.h - the reports of this process: the history, PID.json, the reply to `status`.
 *
 * Listener only; the engine lock is held where the engine is called. libhotpatch_preload(7), "Replies and status",
 * describes the layouts.
 */
#ifndef HOTPATCH_STATUS_H
#define HOTPATCH_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define STATUS_HISTORY 100     /* records that are kept and that `status` lists */
#define STATUS_FILE_HISTORY 32 /* newest records in PID.json, which is written at every request */

/* Read the facts that do not change, at the listener's start. No allocation, because the host may be starting too. */
void status_start(void);
/* Write PID.json without allocating, before the first request. */
void status_write_first(void);

/* Begin a history record with "n", "time", "id" and "verb". */
void status_record_begin(struct json *record, const char *id, const char *verb);
/* End the record and add it to the history, which then owns it. */
void status_record_end(struct json *record, uint64_t microseconds);
void status_count_request(void);

/* Write the whole document, as member `key` or, with NULL, as itself. */
void status_document(struct json *json, const char *key);
/* Write PID.json. Return 0 or -errno. */
int status_write(void);
bool status_is_long(void); /* whether the last PID.json was long */

/* Set the reason why all requests are refused; NULL: they are not refused. */
void status_set_sandbox(const char *text);

/* Any thread. */
const char *status_program(void); /* /proc/self/exe as read at the start */
uint64_t status_start_time(void); /* field 22 of /proc/PID/stat */
/* Forked child, before engine_reset_locks(): drop the history if the fork came while it was changed. */
void status_reset(void);

#endif
