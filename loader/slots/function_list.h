/*
 * function_list.h - the functions that could be entry slots and are none yet, each with the reason where its entry
 * cannot be patched. `slots` lists those that are slots as slots.
 *
 * Runs on the listener, which holds the engine lock. One object at a time is looked at inside objects_locked(), so
 * that a program that opens libraries does not wait for the whole list.
 */
#ifndef HOTPATCH_FUNCTION_LIST_H
#define HOTPATCH_FUNCTION_LIST_H

#include "base/reported.h"
#include "loader/slots/limit.h"

/* Report the functions that the request asks for to rows->function. 0, or -1 with `why`: the list is not whole, as the
 * limit was reached or memory is short. Not inside objects_locked(). */
int function_list(const struct request *request, struct limit *limit,
                  const struct reported_rows *rows, struct refusal *why);

#endif
