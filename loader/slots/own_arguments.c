/* own_arguments.c - see own_arguments.h. */
#include "loader/slots/own_arguments.h"

#include <stdlib.h>
#include <string.h>

#include "arch/stack_arguments.h"
#include "elf/functions.h"
#include "elf/image_bytes.h"
#include "loader/objects/object_functions.h"
#include "loader/text/site.h"

/* A copy of a function's code, as it was before entries were armed. */
struct copy {
    struct copy *next;
    uint8_t code[];
};

struct code_reading {
    struct object *object;
    struct copy *copies;
};

static const uint8_t *around(void *context, uint64_t address, uint64_t *begin, size_t *size)
{
    struct code_reading *reading = context;
    struct object *object = reading->object;
    struct function function;
    const void *code;
    struct copy *copy;

    if (!function_around(object->functions, address, &function))
        return NULL;
    code = image_bytes_at(object->image, function.address, function.size);
    copy = code ? malloc(sizeof(*copy) + function.size) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy->code, code, function.size);
    sites_restore(object->bias + function.address, copy->code, function.size);
    copy->next = reading->copies;
    reading->copies = copy;
    *begin = function.address;
    *size = function.size;
    return copy->code;
}

int64_t own_stack_arguments(struct object *object, uint64_t address)
{
    struct code_reading reading = {.object = object};
    int64_t bytes;

    if (!object_function_index(object) || !object->image)
        return -1;
    bytes = arch_stack_arguments(address, around, &reading);
    while (reading.copies) {
        struct copy *copy = reading.copies;

        reading.copies = copy->next;
        free(copy);
    }
    return bytes;
}
