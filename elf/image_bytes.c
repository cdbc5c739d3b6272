/* image_bytes.c - see image_bytes.h. */
#include "elf/image_bytes.h"

#include "elf/image_parts.h"

const struct segment *image_segment(const struct image *image, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t offset = address - segment->address;

        if (address >= segment->address && offset <= segment->memory_size &&
            size <= segment->memory_size - offset && offset < segment->memory_size)
            return segment;
    }
    return NULL;
}

bool image_has(const struct image *image, uint64_t address, uint64_t size, uint32_t flags)
{
    const struct segment *segment = image_segment(image, address, size);

    return segment && (segment->flags & flags) == flags;
}

bool image_in_relro(const struct image *image, uint64_t address, uint64_t size)
{
    return address >= image->relro_begin && address < image->relro_end &&
           size <= image->relro_end - address;
}

uint64_t image_bytes_from(const struct image *image, uint64_t address)
{
    const struct segment *segment = image_segment(image, address, 0);

    if (!segment || (image_is_mapped(image) && !(segment->flags & PF_R)))
        return 0;
    uint64_t offset = address - segment->address;
    return offset < segment->file_size ? segment->file_size - offset : 0;
}

const void *image_bytes_at(const struct image *image, uint64_t address, size_t size)
{
    uint64_t there = image_bytes_from(image, address);

    if (!there || size > there)
        return NULL;
    const struct segment *segment = image_segment(image, address, 0);
    return segment->bytes + (address - segment->address);
}
