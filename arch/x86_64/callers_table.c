/*
 * callers_table.c - see callers_table.h. The forms are those that gcc and clang write.
 */
#include "arch/x86_64/callers_table.h"

#include <string.h>

enum { LOOK_BACK = 64 };

static const struct arch_code *data_at(const struct arch_object *object, uint64_t address,
                                       size_t size)
{
    for (size_t i = 0; i < object->data_count; i++) {
        const struct arch_code *data = &object->data[i];

        if (address >= data->address && size <= data->size &&
            address - data->address <= data->size - size)
            return data;
    }
    return NULL;
}

static bool read_data(const struct arch_object *object, uint64_t address, void *out, size_t size)
{
    const struct arch_code *data = data_at(object, address, size);

    if (data)
        memcpy(out, data->bytes + (address - data->address), size);
    return data != NULL;
}

static bool touches(const struct step *step, int reg)
{
    return general_of(&step->effects.touches) >> reg & 1;
}

/* Return the last step of this kind before `from` that writes `reg`; -1: another step writes it later. */
static int32_t writer_of(const struct body *body, int32_t from, int reg, enum table_piece piece)
{
    int32_t at = body_step(body, (size_t)from)->before;

    for (int n = 0; n < LOOK_BACK && at >= 0; n++) {
        const struct step *step = body_step(body, (size_t)at);

        if (touches(step, reg))
            return step->effects.table == piece && step->effects.to == reg ? at : -1;
        if (step_calls(step) && (0x0fc7 >> reg & 1))
            return -1;
        at = step->before;
    }
    return -1;
}

/* lea table(%rip), %b; movslq (%b, %i, 4), %t; add %b, %t; jmp *%t */
static bool find_offsets(const struct body *body, int32_t jump, struct table *table)
{
    int to = body_step(body, (size_t)jump)->effects.to;
    int32_t add = writer_of(body, jump, to, TABLE_ADD), load, address;
    int base;

    if (add < 0)
        return false;
    base = body_step(body, (size_t)add)->effects.base;
    load = writer_of(body, add, to, TABLE_LOAD);
    if (load < 0) {
        load = writer_of(body, add, base, TABLE_LOAD); /* add %t, %b; jmp *%b */
        base = to;
    }
    if (load < 0 || body_step(body, (size_t)load)->effects.base != base)
        return false;
    address = writer_of(body, load, base, TABLE_ADDRESS);
    if (address < 0)
        return false;
    table->address = (uint64_t)body_step(body, (size_t)address)->effects.value;
    table->words = false;
    table->loads = load;
    return true;
}

/* jmp *table(, %i, 8), or mov table(, %i, 8), %t; jmp *%t */
static bool find_words(const struct body *body, int32_t jump, struct table *table)
{
    const struct step *step = body_step(body, (size_t)jump);

    table->loads = jump;
    if (step->effects.table == TABLE_JUMP)
        table->loads = writer_of(body, jump, step->effects.to, TABLE_MEMORY);
    if (table->loads < 0)
        return false;
    step = body_step(body, (size_t)table->loads);
    if (step->effects.table != TABLE_MEMORY)
        return false;
    table->address = (uint64_t)step->effects.value;
    table->words = true;
    return true;
}

/* Return whether the compared register is the index, or the register from which the index was computed. */
static bool compares_index(const struct body *body, const struct table *table,
                           const struct step *compare)
{
    int32_t at = body_step(body, (size_t)table->loads)->before;
    int index = body_step(body, (size_t)table->loads)->effects.index;

    if (compare->effects.to < 0 || compare->effects.to == index)
        return true;
    for (int n = 0; n < LOOK_BACK && at >= 0; n++) {
        const struct step *step = body_step(body, (size_t)at);

        if (touches(step, index))
            return general_of(&step->effects.reads) >> compare->effects.to & 1;
        at = step->before;
    }
    return false;
}

/* cmp $last, index; ja default */
static void find_count(const struct body *body, struct table *table)
{
    int32_t at = body_step(body, (size_t)table->loads)->before;
    bool decided = false;

    for (int n = 0; n < LOOK_BACK && at >= 0; n++) {
        const struct step *step = body_step(body, (size_t)at);

        decided |= step->effects.above;
        if (decided && step->effects.table == TABLE_COMPARE) {
            if (step->effects.value >= 0 && step->effects.value < TABLE_ENTRIES_MAX &&
                compares_index(body, table, step))
                table->count = (size_t)step->effects.value + 1;
            return;
        }
        at = step->before;
    }
}

bool table_find(const struct body *body, int32_t jump, struct table *table)
{
    *table = (struct table){.count = 0};
    if ((body_step(body, (size_t)jump)->effects.table != TABLE_JUMP ||
         !find_offsets(body, jump, table)) &&
        !find_words(body, jump, table))
        return false;
    find_count(body, table);
    return true;
}

bool table_entry(const struct body *body, const struct table *table, size_t i, uint64_t *target)
{
    int32_t offset;

    if (table->words)
        return read_data(&body->index->object, table->address + i * 8, target, 8);
    if (!read_data(&body->index->object, table->address + i * 4, &offset, sizeof(offset)))
        return false;
    *target = table->address + (uint64_t)(int64_t)offset;
    return true;
}
