/*
 * object_functions.h - the index of a loaded object's functions, made at the first question and kept until the object
 * is unmapped.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_OBJECT_FUNCTIONS_H
#define HOTPATCH_OBJECT_FUNCTIONS_H

struct function_copies;
struct functions;
struct object;

/* Return the index of the object's functions; NULL if none can be made. */
struct functions *object_function_index(struct object *object);

/* Return which functions of the object share code, or are clones of others; NULL if that is not known. */
const struct function_copies *object_copies(struct object *object);

/* Free the index, the copies and the analysis of callers; the next question makes them again. */
void object_functions_forget(struct object *object);

/* Register with the list of objects (object.h). */
void object_functions_register(void);

#endif
