/* code_view.c - see code_view.h. */
#include "resolve/code_view.h"

#include <string.h>

#include "elf/image_bytes.h"

bool code_copy(const struct code_view *view, uint64_t address, uint8_t *copy, size_t size)
{
    const uint8_t *code = image_bytes_at(view->image, address, size);

    if (!code)
        return false;
    memcpy(copy, code, size);
    if (view->restore)
        view->restore((uintptr_t)code, copy, size);
    return true;
}
