/*
 * entity_names.h - what functions and variables are called in the source.
 */
#ifndef HOTPATCH_ENTITY_NAMES_H
#define HOTPATCH_ENTITY_NAMES_H

#include "cli/build/object_view.h"

/* Return "name", or "name in function()" of a variable of a function; in `text`. */
const char *entity_describe(const struct entity *entity, char *text, size_t size);
/* Return the file and line of the entity's definition in `text`: "file.c:12", or "" where they are not known. */
const char *entity_where(const struct object_view *view, const struct entity *entity, char *text,
                         size_t size);

/* Return the name that a variable has in the source: without a number, and without the function's name. */
const char *entity_source_name(const struct entity *entity, size_t *length);

/* Return whether both are variables of one name in one function, or of none. */
bool entity_same_name(const struct entity *one, const struct entity *two);

/* Return how many variables of its name come before it in the debug information, which has them as the source does. */
size_t entity_order(const struct object_view *view, const struct entity *entity);

#endif
