/*
 * transaction.h - the steps of a transaction, in their order, and the way back from each.
 *
 * Runs on whichever thread holds the engine lock; what is the worker's is handed to it.
 */
#ifndef HOTPATCH_TRANSACTION_H
#define HOTPATCH_TRANSACTION_H

#include "loader/transaction/state.h"

/* Take all steps. 0: done (or dry run); -1: refused, `why` has at least one item. */
int transaction_run(struct transaction *transaction);
void transaction_free(struct transaction *transaction);

#endif
