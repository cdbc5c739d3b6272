/*
 * fuzz_object_dwarf.c - any bytes as two object files whose types are compared.
 *
 * The first four bytes are the size of the unedited object; the edited one follows it. The compiler writes these files, but not
 * only compilers do: whatever they hold, the command reports it or goes on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/types.h"
#include "elf/rel_object_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct half {
    struct rel_object *object;
    struct object_dwarf *dwarf;
};

static void half_open(struct half *half, const uint8_t *bytes, size_t size)
{
    struct elf_error fault = {0};
    struct refusal why = {0};

    if (rel_object_open(&half->object, bytes, size, &fault) == 0)
        object_dwarf_open(&half->dwarf, "fuzz.o", half->object, &why);
    refusal_clear(&why);
}

static void half_close(struct half *half)
{
    object_dwarf_close(half->dwarf);
    rel_object_close(half->object);
}

static void look(const struct half *half)
{
    size_t count;
    unsigned line;
    const struct dwarf_function *functions = object_dwarf_functions(half->dwarf, &count);

    for (size_t i = 0; i < count; i++)
        object_dwarf_where(half->dwarf, functions[i].place.section, functions[i].place.offset + 1,
                           &line);
    object_dwarf_variables(half->dwarf, &count);
    object_dwarf_whole_program(half->dwarf);
}

static void compare(const struct half *old, const struct half *new)
{
    size_t old_count, new_count, count;
    const struct dwarf_function *a = object_dwarf_functions(old->dwarf, &old_count);
    const struct dwarf_function *b = object_dwarf_functions(new->dwarf, &new_count);
    struct types_unit unit = {"fuzz.c", old->dwarf, new->dwarf, old->object, new->object};
    struct types_function functions[8];
    struct types_question question = {.units = &unit, .unit_count = 1, .functions = functions};
    struct types_notes notes = {0};
    struct refusal why = {0};

    count = old_count < new_count ? old_count : new_count;
    for (size_t i = 0; i < count && i < 8; i++)
        functions[question.function_count++] =
            (struct types_function){0, a[i].name, true, true, a[i].place, b[i].place, i % 2, NULL};
    types_check(&question, &notes, &why);
    types_notes_free(&notes);
    refusal_clear(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct half old = {0}, new = {0};
    uint32_t first;

    if (size < sizeof(first))
        return 0;
    memcpy(&first, data, sizeof(first));
    data += sizeof(first);
    size -= sizeof(first);
    first = first < size ? first : (uint32_t)size;
    half_open(&old, data, first);
    half_open(&new, data + first, size - first);
    if (old.dwarf)
        look(&old);
    if (old.dwarf && new.dwarf)
        compare(&old, &new);
    half_close(&new);
    half_close(&old);
    return 0;
}
