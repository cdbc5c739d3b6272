/*
 * own_arguments.h - how many bytes of arguments a function of a loaded object reads from the stack, by
 * its own code (arch/stack_arguments.h). Armed entries are read as they were before.
 *
 * Runs on whichever thread holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_OWN_ARGUMENTS_H
#define HOTPATCH_OWN_ARGUMENTS_H

#include "loader/objects/object.h"

/* Return the number of bytes for the function at `address`, before load bias. -1: not known. */
int64_t own_stack_arguments(struct object *object, uint64_t address);

#endif
