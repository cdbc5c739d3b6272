/*
 * report.h - what the engine tells: replies, history records, the status document. All JSON; the
 * members are described in libhotpatch_preload(7). Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_REPORT_H
#define HOTPATCH_REPORT_H

#include "transaction.h"

void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        struct engine_reply *reply);
void report_slots(const struct request *request, struct engine_reply *reply);
void report_nothing_to_do(struct engine_reply *reply, const char *text);
void report_status(struct json *json);

/* report_functions.c: adds the functions that are no slots yet to an open list of slots. */
void report_functions(const struct request *request, struct json *json);

#endif
