/*
 * function_list.h - list the functions that could be entry slots and are not slots yet. If a function's entry cannot be
 * patched, the list has the reason. Functions that are slots are in the list of slots.
 *
 * Called by the listener with the engine lock held. Each object is read in its own objects_locked(), so that a program
 * that opens libraries does not wait for the whole list.
 */
#ifndef HOTPATCH_FUNCTION_LIST_H
#define HOTPATCH_FUNCTION_LIST_H

#include "base/reported.h"
#include "loader/slots/limit.h"

/* Report the functions that the request asks for to rows->function. Return 0, or -1 with `why`: the list is not
 * complete, because the limit was reached or there is no memory. Called outside objects_locked(). */
int function_list(const struct request *request, struct limit *limit,
                  const struct reported_rows *rows, struct refusal *why);

#endif
