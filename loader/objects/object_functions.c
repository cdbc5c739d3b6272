/* object_functions.c - see object_functions.h. */
#include "loader/objects/object_functions.h"

#include "base/services.h"
#include "base/sys.h"
#include "elf/functions.h"
#include "elf/functions_read.h"
#include "elf/object_callers.h"
#include "loader/objects/object.h"
#include "loader/objects/object_file.h"
#include "resolve/function_copies.h"

struct functions *object_function_index(struct object *object)
{
    struct elf_error error;
    bool own;
    int file;

    if (object->functions || !object->image)
        return object->functions;
    file = object_file_open(object, &own);
    if (functions_of_mapped(&object->functions, object->image, file < 0 ? -1 : file, &error) != 0) {
        object->functions = NULL;
        shim()->log(LOG_INFO, "functions of %s: %s", object->path, error.text);
    }
    if (own && file >= 0)
        sys_close(file);
    return object->functions;
}

const struct function_copies *object_copies(struct object *object)
{
    if (!object->copies && object_function_index(object))
        object->copies = function_copies_read(object->functions, object->image);
    return object->copies;
}

void object_functions_forget(struct object *object)
{
    object_callers_close(object->callers);
    function_copies_free(object->copies);
    functions_close(object->functions);
    object->callers = NULL;
    object->copies = NULL;
    object->functions = NULL;
}

void object_functions_register(void)
{
    static struct object_callbacks callbacks = {.gone = object_functions_forget};

    objects_register(&callbacks);
}
