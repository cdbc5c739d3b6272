/* image_parts.c - see image_parts.h. */
#include "elf/image_parts.h"

#include <string.h>

bool image_is_mapped(const struct image *image)
{
    return !image->elf;
}

bool image_section(const struct image *image, const char *name, uint32_t type, GElf_Shdr *section)
{
    size_t names;

    if (image_is_mapped(image) || (name && elf_getshdrstrndx(image->elf, &names)))
        return false;
    for (Elf_Scn *scan = NULL; (scan = elf_nextscn(image->elf, scan));) {
        if (!gelf_getshdr(scan, section) || (type != SHT_NULL && section->sh_type != type))
            continue;
        const char *found = name ? elf_strptr(image->elf, names, section->sh_name) : NULL;
        if (!name || (found && strcmp(found, name) == 0))
            return true;
    }
    return false;
}
