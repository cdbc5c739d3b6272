/*
 * object_file.h - open the file of a loaded object, also where the program has another root directory than the file.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_OBJECT_FILE_H
#define HOTPATCH_OBJECT_FILE_H

#include <stdbool.h>

struct object;

/* Open the object's file for reading. Return a descriptor, or -errno. `*own` is true if the caller must close it. */
int object_file_open(const struct object *object, bool *own);

#endif
