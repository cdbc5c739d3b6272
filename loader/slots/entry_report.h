/*
 * entry_report.h - report the members that only entry slots have.
 *
 * Called by the thread that holds the engine lock. The report of written code has the result of the last reading.
 */
#ifndef HOTPATCH_ENTRY_REPORT_H
#define HOTPATCH_ENTRY_REPORT_H

#include "base/reported.h"
#include "loader/slots/slot.h"

struct damage;

/* Return the damage of the armed entry that the last damage_look() found; NULL if there is none. */
const struct damage *entry_damage(const struct slot *slot);

/* Add the members of entry slots to `report`, and call `put` with it and `text`. */
void entry_report(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                  struct reported_text *text, void *context);

#endif
