/*
 * own_arguments.h - find how many bytes of stack arguments a function of a loaded object reads, by its own code
 * (arch/stack_arguments.h). Armed entries are read as they were before.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_OWN_ARGUMENTS_H
#define HOTPATCH_OWN_ARGUMENTS_H

#include "loader/objects/object.h"

/* Return the number of bytes for the function at `address`, before load bias; -1 if it is not known. */
int64_t own_stack_arguments(struct object *object, uint64_t address);

#endif
