/* functions_parts.c - see functions_parts.h. */
#include "elf/functions_parts.h"

#include <string.h>

uint32_t functions_name_hash(const char *name, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = length;

    for (; length >= 8; name += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, name, 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
    }
    uint64_t rest = 0;
    memcpy(&rest, name, length);
    hash = (hash ^ rest) * factor;
    return (uint32_t)(hash >> 32);
}

const char *functions_entry_name(const struct functions *functions, size_t i)
{
    const struct function_entry *entry = &functions->entries[i];

    return (i < functions->dynamic_count ? functions->image->dynsym.strings.bytes
                                         : functions->strings) +
           entry->name;
}
