/*
 * object_file.h - the file of a loaded object, also where the program sees another root directory than the file's.
 *
 * Runs on whichever thread holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_OBJECT_FILE_H
#define HOTPATCH_OBJECT_FILE_H

#include <stdbool.h>

struct object;

/* Open the object's file for reading. Return a descriptor, or -errno; `*own`: the caller closes it. */
int object_file_open(const struct object *object, bool *own);

#endif
