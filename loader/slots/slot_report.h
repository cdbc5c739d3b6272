/*
 * slot_report.h - report one slot to the shim (base/reported.h).
 *
 * Called by the thread that holds the engine lock. No function of this file allocates memory or reads a word of the
 * process: the report of words and of written code has the results of the last reading.
 */
#ifndef HOTPATCH_SLOT_REPORT_H
#define HOTPATCH_SLOT_REPORT_H

#include "base/reported.h"
#include "loader/slots/slot.h"

/* Call `put` with the slot and `text`. */
void slot_report(const struct slot *slot, reported_slot_fn *put, struct reported_text *text,
                 void *context);

/* Return the name of the layer's module; "(program)" if hotpatch_set() made the layer. */
const char *slot_layer_name(const struct layer *layer);

/* Return the name of the module with the newest layer; NULL if the slot has no layer. */
const char *slot_live_module(const struct slot *slot);

/* Return whether the last damage_look() found that another tool has written over the armed entry. */
bool slot_is_damaged(const struct slot *slot);

#endif
