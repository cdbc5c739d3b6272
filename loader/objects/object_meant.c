/* object_meant.c - see object_meant.h. Called inside objects_locked(). */
#include "loader/objects/object_meant.h"

#include "loader/objects/object.h"
#include "resolve/symbol_spec.h"

bool object_is_meant(const struct object *object, const struct symbol_spec *spec)
{
    return symbol_spec_object_matches(spec, object->is_program, object->path, object->soname,
                                      object->name_space);
}
