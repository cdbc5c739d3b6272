/*
 * protection.c - see protection.h.
 *
 * ld.so obeys PT_GNU_STACK of every object that it maps, also of one that dlopen(3) brings: then it
 * makes the stacks of all threads executable, and they stay so after dlclose(3).
 */
#include "protection.h"

#include <elf.h>

#include "image_internal.h"

const char *image_executable_stack(const struct image *image)
{
    if (!image->names_stack)
        return "it has no PT_GNU_STACK, which asks for an executable stack";
    return image->stack_flags & PF_X ? "its PT_GNU_STACK asks for an executable stack" : NULL;
}

bool image_writable_code(const struct image *image, uint64_t *address)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];

        if ((segment->flags & (PF_W | PF_X)) != (PF_W | PF_X))
            continue;
        *address = segment->address;
        return true;
    }
    return false;
}
