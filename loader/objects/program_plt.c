/*
 * program_plt.c - see program_plt.h.
 *
 * In a non-PIE program an undefined symbol may have a value: the address of its PLT entry (gABI, "Function Addresses").
 * The program has few such symbols, or none. They are gathered in one pass over .dynsym, because DT_GNU_HASH of some
 * linkers leaves undefined symbols out.
 *
 * Called by the thread that holds the engine lock.
 */
#include "loader/objects/program_plt.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "elf/symbols.h"
#include "loader/objects/object.h"

struct canonical {
    const char *name; /* in the program's .dynstr, which stays mapped */
    uint64_t value;
};

static struct {
    struct canonical *list; /* sorted by name; equal names in the order of .dynsym */
    size_t count, capacity;
    bool read;
} known;

static int add_canonical(const struct canonical *canonical)
{
    if (known.count == known.capacity) {
        size_t capacity = known.capacity ? 2 * known.capacity : 64;
        struct canonical *longer = realloc(known.list, capacity * sizeof(*longer));

        if (!longer)
            return -1;
        known.list = longer;
        known.capacity = capacity;
    }
    known.list[known.count++] = *canonical;
    return 0;
}

static int take_if_canonical(const struct image_symbol *symbol, void *nothing)
{
    (void)nothing;
    if (!symbol->dynamic)
        return 1;
    if (symbol->defined || symbol->value == 0 || symbol->type != STT_FUNC)
        return 0;
    return add_canonical(&(struct canonical){symbol->name, symbol->value});
}

static int by_name(const void *left, const void *right)
{
    const struct canonical *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* Gather the symbols. If there is no memory, the next question gathers them again. */
static void gather(const struct object *program)
{
    struct elf_error error;

    known.count = 0;
    known.read = image_symbols(program->image, take_if_canonical, NULL, &error) >= 0;
    if (known.count > 1)
        qsort(known.list, known.count, sizeof(*known.list), by_name);
}

uintptr_t program_plt(const char *name)
{
    const struct object *program = object_program();
    size_t low = 0, high;

    if (!known.read && program->image)
        gather(program);
    for (high = known.count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(known.list[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == known.count || strcmp(known.list[low].name, name) != 0)
        return 0;
    return program->bias + known.list[low].value;
}
