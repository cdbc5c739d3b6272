/*
 * indirect.c - the words that ld.so fills with what the resolvers of indirect functions (STT_GNU_IFUNC)
 * return, and which no symbol names: ARCH_RELOCATION_INDIRECT. Calls
 * of an indirect function from its own object go through them.
 *
 * Runs where functions.c runs. Reads only.
 */
#include "elf/indirect.h"

#include <stdlib.h>

#include "elf/functions_parts.h"
#include "elf/relocations.h"

struct indirect_list {
    struct indirect_word *words;
    size_t count, room;
};

static int add_indirect_word(const struct image_relocation *relocation, void *context)
{
    struct indirect_list *list = context;

    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct indirect_word *words = realloc(list->words, room * sizeof *words);
        if (!words)
            return 1;
        list->words = words;
        list->room = room;
    }
    list->words[list->count++] =
        (struct indirect_word){(uint64_t)relocation->addend, relocation->where};
    return 0;
}

static int compare_indirect(const void *left, const void *right)
{
    const struct indirect_word *a = left, *b = right;

    if (a->resolver != b->resolver)
        return a->resolver < b->resolver ? -1 : 1;
    return (a->where > b->where) - (a->where < b->where);
}

/* Read the words of IRELATIVE relocations. Damaged relocations, or no memory: none are known. */
static void read_indirect_words(struct functions *functions)
{
    struct indirect_list list = {NULL, 0, 0};
    struct elf_error ignored = {ELF_OK, ""};

    functions->indirect_read = true;
    if (!functions->image ||
        image_indirect_relocations(functions->image, add_indirect_word, &list, &ignored)) {
        free(list.words);
        return;
    }
    if (list.count > 0)
        qsort(list.words, list.count, sizeof *list.words, compare_indirect);
    functions->indirect = list.words;
    functions->indirect_count = list.count;
}

bool function_indirect_word(struct functions *functions, uint64_t address, size_t i,
                            uint64_t *where)
{
    size_t low = 0, high;

    if (!functions->indirect_read)
        read_indirect_words(functions);
    high = functions->indirect_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (functions->indirect[middle].resolver < address)
            low = middle + 1;
        else
            high = middle;
    }
    if (i >= functions->indirect_count - low || functions->indirect[low + i].resolver != address)
        return false;
    *where = functions->indirect[low + i].where;
    return true;
}
