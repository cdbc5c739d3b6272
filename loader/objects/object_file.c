/* object_file.c - see object_file.h. */
#include "loader/objects/object_file.h"

#include <stdio.h>

#include "base/services.h"
#include "base/sys.h"
#include "loader/objects/emulator.h"
#include "loader/objects/object.h"

int object_file_open(const struct object *object, bool *own)
{
    const char *path;
    char what[64], text[16];
    int file = -1;

    /* Under an emulator shim()->program() would open the emulator's file. The emulator itself answers for this path. */
    if (object->is_program && emulator_problem())
        file = sys_openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    *own = true;
    if (file >= 0)
        return file;
    if (object->is_program)
        file = shim()->program(&path);
    *own = file < 0;
    if (file < 0) {
        snprintf(what, sizeof(what), "object %llx", (unsigned long long)object->begin);
        file = shim()->outside(what, text, sizeof(text));
    }
    return file >= 0 ? file
                     : sys_openat(AT_FDCWD, object->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}
