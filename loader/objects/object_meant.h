/*
 * object_meant.h - find which loaded objects the word OBJECT of a target names.
 */
#ifndef HOTPATCH_OBJECT_MEANT_H
#define HOTPATCH_OBJECT_MEANT_H

#include <stdbool.h>

struct object;
struct symbol_spec;

/* Return whether OBJECT names the object. A target without OBJECT names all objects. */
bool object_is_meant(const struct object *object, const struct symbol_spec *spec);

#endif
