/*
 * transaction.h - run the steps of a transaction in their order, and undo them after a refusal.
 *
 * Called by the thread that holds the engine lock; the worker runs the steps that call the dynamic linker or hooks.
 */
#ifndef HOTPATCH_TRANSACTION_H
#define HOTPATCH_TRANSACTION_H

#include "loader/transaction/state.h"

/* Run all steps. Return 0 if they are done (or after a dry run); -1 if the transaction is refused: `why` has at least
 * one item. */
int transaction_run(struct transaction *transaction);
void transaction_free(struct transaction *transaction);

#endif
