/*
 * import_report.h - report the members that only import slots have.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_IMPORT_REPORT_H
#define HOTPATCH_IMPORT_REPORT_H

#include "base/reported.h"
#include "loader/slots/slot.h"

/* Add the members of import slots to `report`, and call `put` with it and `text`. */
void import_report(const struct slot *slot, struct reported_slot *report, reported_slot_fn *put,
                   struct reported_text *text, void *context);

#endif
