/*
 * report.h - what the engine tells: replies, history records, the status document. All JSON; the
 * members are described in libhotpatch_preload(7). Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_REPORT_H
#define HOTPATCH_REPORT_H

#include "base/engine_api.h"
#include "base/services.h"
#include "loader/transaction/mend.h"
#include "loader/transaction/transaction.h"

void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        struct engine_reply *reply);
void report_slots(const struct request *request, struct engine_reply *reply);
/* A reload that had no changed file to load: what it has repaired, or could not. */
void report_mended(const struct mend *mend, struct engine_reply *reply);
/* To the reply of one that had: what it has repaired before. */
void report_repaired(const struct mend *mend, struct engine_reply *reply);
void report_status(struct json *json);

/* report_functions.c: adds the functions that are no slots yet to an open list of slots. False: the limit was
 * reached before all were there. */
struct limit;
bool report_functions(const struct request *request, struct limit *limit, struct json *json);

#endif
