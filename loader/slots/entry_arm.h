/*
 * entry_arm.h - the slot_ops of entry slots: how they are prepared, armed, switched and disarmed.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_ENTRY_ARM_H
#define HOTPATCH_ENTRY_ARM_H

#include "loader/slots/slot.h"

extern const struct slot_ops entry_ops;

/* Read whether functions have been called since they were switched. */
void entries_read_hits(void);

#endif
