/*
 * report.h - what the engine reports to the shim: the result of a request, the list of slots, the status document.
 * All are structs of base/reported.h.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_REPORT_H
#define HOTPATCH_REPORT_H

#include "base/reported.h"
#include "loader/transaction/mend.h"
#include "loader/transaction/transaction.h"

/* Report what a transaction did. `mend`: what a reload repaired before it, or NULL. */
void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        const struct mend *mend, reported_result_fn *put, void *context);
/* Report a reload that found no changed file: what it repaired, or could not repair. */
void report_mended(const struct mend *mend, reported_result_fn *put, void *context);
/* Report all that can be patched and that the request asks for. */
void report_slots(const struct request *request, reported_result_fn *put, void *context);
/* Return what the status document says. */
struct reported_status report_status(void);

#endif
