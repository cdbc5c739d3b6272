/*
 * entry_report.h - what the engine reports of an entry slot alone.
 *
 * Runs on whichever thread holds the engine lock. What is reported of written code is what was last read.
 */
#ifndef HOTPATCH_ENTRY_REPORT_H
#define HOTPATCH_ENTRY_REPORT_H

#include "base/reported.h"
#include "loader/slots/slot.h"

struct damage;

/* Return what another tool has written over the armed entry, as the last damage_look() found; NULL: nothing. */
const struct damage *entry_damage(const struct slot *slot);

/* Add the members of entry slots to `report`, and call `put` with it and `text`. */
void entry_report(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                  struct reported_text *text, void *context);

#endif
