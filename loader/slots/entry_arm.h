/*
 * entry_arm.h - entry slots as a kind: how they are prepared, armed, switched and disarmed.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_ENTRY_ARM_H
#define HOTPATCH_ENTRY_ARM_H

#include "loader/slots/slot.h"

extern const struct slot_ops entry_ops;

/* Read whether functions have been called since they were switched. */
void entries_read_hits(void);

#endif
