/*
 * slot_report.h - what the engine reports of one slot (base/reported.h).
 *
 * Runs on whichever thread holds the engine lock. Nothing here allocates memory or reads a word of the process: what
 * is reported of words and of written code is what was last read.
 */
#ifndef HOTPATCH_SLOT_REPORT_H
#define HOTPATCH_SLOT_REPORT_H

#include "base/reported.h"
#include "loader/slots/slot.h"

/* Call `put` with the slot and `text`. */
void slot_report(const struct slot *slot, reported_slot_fn *put, struct reported_text *text,
                 void *context);

/* Return the name of the layer's module, "(program)" where hotpatch_set() made the layer. */
const char *slot_layer_name(const struct layer *layer);

/* Return the name of the module whose layer is the newest; NULL: the slot has no layer. */
const char *slot_live_module(const struct slot *slot);

/* Return whether another tool has written over the armed entry, as the last damage_look() found. */
bool slot_is_damaged(const struct slot *slot);

#endif
