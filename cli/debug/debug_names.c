/* debug_names.c - see debug_names.h. */
#include "cli/debug/debug_names.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "elf/functions.h"
#include "resolve/function_copies.h"

/* Eight letters at a time: mangled names are long. */
static uint32_t text_hash(const char *text, size_t length)
{
    const uint64_t factor =
        0x9e3779b97f4a7c15; /* 2^64 over the golden ratio: Knuth, volume 3, 6.4 */
    size_t left = length;
    uint64_t hash = left, word;

    for (; left >= sizeof(word); text += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, left);
    hash = (hash ^ word) * factor;
    return (uint32_t)(hash >> 32);
}

uint32_t debug_name_hash(const char *name)
{
    return text_hash(name, strlen(name));
}

void debug_names_add(const struct debug_function *function, struct debug_names *names)
{
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? names->capacity * 2 : 1024;
        names->list = reallocate(names->list, names->capacity * sizeof(*names->list));
        names->hashes = reallocate(names->hashes, names->capacity * sizeof(*names->hashes));
    }
    free(names->heads);
    free(names->nexts);
    names->heads = names->nexts = NULL;
    names->list[names->count] = *function;
    names->hashes[names->count++] = debug_name_hash(function->name);
}

void debug_names_free(struct debug_names *names)
{
    free(names->list);
    free(names->hashes);
    free(names->heads);
    free(names->nexts);
    free(names->clones);
    *names = (struct debug_names){0};
}

int debug_names_each(const struct debug_names *names, debug_function_visit *each, void *context)
{
    int result = 0;

    for (size_t i = 0; i < names->count && result == 0; i++)
        result = each(&names->list[i], context);
    return result;
}

/* ---- by name ---- */

/* From the last one on, so that a chain has the order of the list. */
static void make_chains(struct debug_names *names)
{
    size_t size = 1024;

    while (size < names->count)
        size *= 2;
    names->mask = size - 1;
    names->heads = allocate(size * sizeof(*names->heads));
    names->nexts = allocate((names->count + 1) * sizeof(*names->nexts));
    memset(names->heads, 0, size * sizeof(*names->heads));
    for (size_t i = names->count; i-- > 0;) {
        uint32_t *head = &names->heads[names->hashes[i] & names->mask];

        names->nexts[i] = *head;
        *head = (uint32_t)i + 1;
    }
}

static int each_in_chain(const struct debug_names *names, const char *name, bool *found,
                         debug_function_visit *each, void *context)
{
    uint32_t hash = debug_name_hash(name);
    int result = 0;

    *found = false;
    for (uint32_t at = names->heads[hash & names->mask]; at && result == 0;
         at = names->nexts[at - 1])
        if (names->hashes[at - 1] == hash && strcmp(names->list[at - 1].name, name) == 0) {
            *found = true;
            result = each(&names->list[at - 1], context);
        }
    return result;
}

int debug_names_called(struct debug_names *names, const char *name, debug_function_visit *each,
                       void *context)
{
    char indirect[FUNCTION_NAME_MAX];
    bool found;
    int result;

    if (!names->heads)
        make_chains(names);
    result = each_in_chain(names, name, &found, each, context);
    if (!found && function_indirect_name(name, indirect))
        result = each_in_chain(names, indirect, &found, each, context);
    return result;
}

/* ---- clones ---- */

static void add_clone(struct debug_names *names, size_t function, size_t length, size_t *capacity)
{
    const char *name = names->list[function].name;

    if (names->clone_count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 64;
        names->clones = reallocate(names->clones, *capacity * sizeof(*names->clones));
    }
    names->clones[names->clone_count++] =
        (struct debug_clone){text_hash(name, length), (uint32_t)function, (uint32_t)length};
}

static int by_source(const void *left, const void *right)
{
    const struct debug_clone *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->function > b->function) - (a->function < b->function);
}

static void list_clones(struct debug_names *names)
{
    size_t capacity = 64;

    names->clones = allocate(capacity * sizeof(*names->clones));
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->list[i].name;

        for (size_t length = 0; (length = function_clone_source(name, length)) > 0;)
            add_clone(names, i, length, &capacity);
    }
    qsort(names->clones, names->clone_count, sizeof(*names->clones), by_source);
}

static size_t first_clone(const struct debug_names *names, uint32_t hash)
{
    size_t low = 0, high = names->clone_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (names->clones[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int debug_names_clones(struct debug_names *names, const char *name, debug_function_visit *each,
                       void *context)
{
    size_t length = strlen(name);
    uint32_t hash = text_hash(name, length);
    int result = 0;

    if (!names->clones)
        list_clones(names);
    for (size_t i = first_clone(names, hash);
         i < names->clone_count && names->clones[i].hash == hash && result == 0; i++) {
        const struct debug_function *clone = &names->list[names->clones[i].function];

        if (names->clones[i].length == length && strncmp(clone->name, name, length) == 0)
            result = each(clone, context);
    }
    return result;
}
