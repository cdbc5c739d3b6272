/* entry_file.c - see entry_file.h. */
#include "loader/slots/entry_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "elf/image_bytes.h"
#include "loader/objects/object_file.h"
#include "loader/text/entry_bytes.h"

static bool read_file(struct object *object, uint64_t address, uint8_t *to, size_t size)
{
    bool own, read;
    int file = object_file_open(object, &own);

    if (file < 0)
        return false;
    read = file_text_read(&object->file_text, object->image, file, address, to, size);
    if (own)
        sys_close(file);
    return read;
}

/* Return how many bytes from the entry on are displaced, by the file's code: `head` has the function's first `size`
 * bytes. If that code cannot be decoded, return the largest number of bytes that a hook overwrites. */
static size_t displaced(const struct object *object, const struct function *function,
                        const uint8_t *head, size_t size)
{
    const uint8_t *code = image_bytes_at(object->image, function->address, function->size);
    uint8_t *copy = code ? malloc(function->size) : NULL;
    struct arch_prologue prologue;
    size_t result = ARCH_FOREIGN_BYTES;

    if (copy) {
        memcpy(copy, code, function->size);
        memcpy(copy, head, size);
        if (arch_prologue_read(copy, function->size, object->bias + function->address, &prologue) ==
            ARCH_OK)
            result = prologue.jump - prologue.entry + prologue.length;
        free(copy);
    }
    return result < size ? result : size;
}

static int check_memory_alone(const struct entry_bytes *found, struct site_problem *why)
{
    size_t at;

    return arch_traps_first(found->bytes, found->size, &at)
               ? entry_bytes_refuse(found, ARCH_FOREIGN_TRAP, at, why)
               : 0;
}

int entry_file_check(struct object *object, const struct function *function,
                     struct site_problem *why)
{
    uint8_t original[ARCH_PROLOGUE_BYTES];
    struct entry_bytes found;
    enum arch_foreign kind;
    size_t first = 0;

    if (function->size == 0 || !image_bytes_at(object->image, function->address, function->size))
        return 0;
    entry_bytes_read(object->bias + function->address, &found, function->size);
    /* The jumps, pads and int3 that the engine wrote are not foreign bytes. */
    sites_restore(found.at, found.bytes, found.size);
    if (!read_file(object, function->address, original, found.size))
        return check_memory_alone(&found, why);
    if (memcmp(found.bytes, original, found.size) == 0)
        return 0;
    kind = arch_foreign(found.bytes, found.size, original, original,
                        displaced(object, function, original, found.size), &first);
    return kind == ARCH_FOREIGN_TRAP || kind == ARCH_FOREIGN_JUMP
               ? entry_bytes_refuse(&found, kind, first, why)
               : 0;
}
