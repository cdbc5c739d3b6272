/*
 * report.h - the engine's reports to the shim: the result of a request, the list of slots, the status document. All are
 * structs of base/reported.h.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_REPORT_H
#define HOTPATCH_REPORT_H

#include "base/reported.h"
#include "loader/transaction/mend.h"
#include "loader/transaction/transaction.h"

/* Report the result of a transaction. `mend` is the result of the repair before it, or NULL. */
void report_transaction(const struct transaction *transaction, uint64_t microseconds,
                        const struct mend *mend, reported_result_fn *put, void *context);
/* Report a reload that found no changed file: the entries that it repaired, and those that it could not repair. */
void report_mended(const struct mend *mend, reported_result_fn *put, void *context);
/* Report all slots, and functions that can be patched, that the request asks for. */
void report_slots(const struct request *request, reported_result_fn *put, void *context);
/* Return the content of the status document. */
struct reported_status report_status(void);

#endif
