/* debug_names.c - see debug_names.h. */
#include "debug_names.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

/* Eight letters at a time: mangled names are long. */
uint32_t debug_name_hash(const char *name)
{
    const uint64_t factor =
        0x9e3779b97f4a7c15; /* 2^64 over the golden ratio: Knuth, volume 3, 6.4 */
    size_t left = strlen(name);
    uint64_t hash = left, word;

    for (; left >= sizeof(word); name += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, name, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, name, left);
    hash = (hash ^ word) * factor;
    return (uint32_t)(hash >> 32);
}

void debug_names_add(const struct debug_function *function, struct debug_names *names)
{
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? names->capacity * 2 : 1024;
        names->list = reallocate(names->list, names->capacity * sizeof(*names->list));
        names->hashes = reallocate(names->hashes, names->capacity * sizeof(*names->hashes));
    }
    names->list[names->count] = *function;
    names->hashes[names->count++] = debug_name_hash(function->name);
}

void debug_names_free(struct debug_names *names)
{
    free(names->list);
    free(names->hashes);
    *names = (struct debug_names){0};
}

int debug_names_each(const struct debug_names *names, debug_function_visit *each, void *context)
{
    int result = 0;

    for (size_t i = 0; i < names->count && result == 0; i++)
        result = each(&names->list[i], context);
    return result;
}

int debug_names_called(const struct debug_names *names, const char *name,
                       debug_function_visit *each, void *context)
{
    uint32_t hash = debug_name_hash(name);
    int result = 0;

    for (size_t i = 0; i < names->count && result == 0; i++)
        if (names->hashes[i] == hash && strcmp(names->list[i].name, name) == 0)
            result = each(&names->list[i], context);
    return result;
}
