/* object_callers.c - see object_callers.h. */
#include "elf/object_callers.h"

#include <stdlib.h>

#include "elf/image_parts.h"
#include "elf/object_code.h"

/* An index of more code would take seconds. */
#define CODE_MAX (UINT64_C(32) << 20)

struct object_callers {
    struct object_code code;
    struct arch_callers *arch;
};

static uint64_t code_bytes(const struct arch_object *object)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < object->code_count; i++)
        bytes += object->code[i].size;
    return bytes;
}

int object_callers_open(struct object_callers **out, const struct image *image,
                        struct functions *functions, object_callers_restore *restore, void *context,
                        struct elf_error *error)
{
    struct object_callers *callers = calloc(1, sizeof *callers);

    *out = NULL;
    if (!callers)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for the callers");
    if (object_code_open(&callers->code, image, functions, error)) {
        object_callers_close(callers);
        return -1;
    }
    if (code_bytes(&callers->code.object) > CODE_MAX) {
        object_callers_close(callers);
        return elf_fail(error, ELF_NO_MEMORY, "more than 32 MiB of code");
    }
    callers->code.object.restore = restore;
    callers->code.object.context = context;
    callers->arch = arch_callers_open(&callers->code.object);
    object_code_drop_functions(&callers->code);
    if (!callers->arch) {
        object_callers_close(callers);
        return elf_fail(error, ELF_NO_MEMORY,
                        "no memory for its branches, or its code is larger than 4 GiB");
    }
    *out = callers;
    return 0;
}

void object_callers_close(struct object_callers *callers)
{
    if (!callers)
        return;
    arch_callers_close(callers->arch);
    object_code_close(&callers->code);
    free(callers);
}

struct arch_callers *object_callers_arch(struct object_callers *callers)
{
    return callers->arch;
}

size_t object_callers_memory(const struct object_callers *callers)
{
    return sizeof *callers + arch_callers_memory(callers->arch) + callers->code.words_size;
}
