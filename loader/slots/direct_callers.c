/* direct_callers.c - see direct_callers.h. */
#include "loader/slots/direct_callers.h"

#include "base/services.h"
#include "elf/object_callers.h"
#include "loader/objects/object.h"
#include "loader/objects/object_functions.h"
#include "loader/text/site.h"

static void restore(void *context, uint64_t address, uint8_t *copy, size_t size)
{
    const struct object *object = context;

    sites_restore(object->bias + address, copy, size);
}

struct arch_callers *callers_of(struct object *object)
{
    struct functions *functions = object_function_index(object);
    struct elf_error error;

    if (!object->callers && functions && !object->callers_failed &&
        object_callers_open(&object->callers, object->image, functions, restore, object, &error)) {
        object->callers_failed = true;
        shim()->log(LOG_INFO, "callers in %s: %s", object->path, error.text);
    }
    return object->callers ? object_callers_arch(object->callers) : NULL;
}
