/* far_data.c - see far_data.h. */
#include "resolve/far_data.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/far_data.h"

/* The new code lies after the section's own, aligned so. */
enum { FAR_DATA_ALIGN = 16 };

static bool is_reference(const struct rel_section *section, const struct rel_relocation *relocation)
{
    struct arch_thin kind = arch_thin(relocation->type);

    return kind.target == ARCH_THIN_ADDRESS && kind.size == 4 &&
           !arch_thin_is_branch(relocation->type, section->bytes, relocation->offset);
}

static size_t count_far(const struct rel_section *section,
                        bool (*is_far)(uint32_t symbol, const void *context), const void *context)
{
    size_t count = 0;

    for (size_t i = 0; i < section->relocation_count; i++)
        count += is_reference(section, &section->relocations[i]) &&
                 is_far(section->relocations[i].symbol, context);
    return count;
}

/* Return the begin of the function that has the offset. */
static uint64_t function_begin(const struct rel_object *object, uint32_t section, uint64_t offset)
{
    uint32_t symbol = rel_symbol_around(object, section, offset);

    return symbol ? object->symbols[symbol].value : 0;
}

/* Move the other relocation of the instruction. Return false if there is one that cannot be moved. */
static bool move_immediate(const struct arch_far_data *far, const struct rel_relocation *made,
                           struct far_data *out)
{
    for (size_t i = 0; i < out->relocation_count; i++) {
        struct rel_relocation *other = &out->relocations[i];

        if (other == made || other->offset < far->instruction ||
            other->offset >= far->instruction + far->length)
            continue;
        if (!far->immediate || other->offset != far->immediate || arch_thin(other->type).relative)
            return false;
        other->offset = out->size + far->moved;
    }
    return true;
}

static bool make_reference(const struct rel_object *object, uint32_t section,
                           struct rel_relocation *relocation, struct far_data *out)
{
    struct arch_far_data far;

    if (!arch_far_data(out->bytes, object->sections[section].size,
                       function_begin(object, section, relocation->offset), relocation->offset,
                       relocation->addend, out->size, &far) ||
        !move_immediate(&far, relocation, out))
        return false;
    memcpy(out->bytes + out->size, far.code, far.size);
    *relocation = (struct rel_relocation){.offset = out->size + far.field,
                                          .addend = -4,
                                          .type = arch_far_data_type(),
                                          .symbol = relocation->symbol};
    out->size += (far.size + (uint64_t)FAR_DATA_ALIGN - 1) / FAR_DATA_ALIGN * FAR_DATA_ALIGN;
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const struct rel_relocation *one = a, *other = b;

    return (one->offset > other->offset) - (one->offset < other->offset);
}

static bool allocate_copy(const struct rel_section *section, size_t count, struct far_data *out)
{
    out->size = (section->size + FAR_DATA_ALIGN - 1) / FAR_DATA_ALIGN * FAR_DATA_ALIGN;
    out->bytes = calloc(1, out->size + count * ARCH_FAR_DATA_SIZE);
    out->relocations = calloc(section->relocation_count, sizeof(*out->relocations));
    out->relocation_count = section->relocation_count;
    if (!out->bytes || !out->relocations)
        return false;
    memcpy(out->bytes, section->bytes, section->size);
    memcpy(out->relocations, section->relocations,
           section->relocation_count * sizeof(*out->relocations));
    return true;
}

int far_data_make(const struct rel_object *object, uint32_t section,
                  bool (*is_far)(uint32_t symbol, const void *context), const void *context,
                  struct far_data *out)
{
    const struct rel_section *from = &object->sections[section];
    size_t count = 0;

    *out = (struct far_data){0};
    if (from->bytes && (from->flags & SHF_EXECINSTR))
        count = count_far(from, is_far, context);
    if (count == 0)
        return 0;
    if (!allocate_copy(from, count, out))
        return -1;
    for (size_t i = 0; i < from->relocation_count; i++) {
        if (!is_reference(from, &from->relocations[i]) ||
            !is_far(from->relocations[i].symbol, context))
            continue;
        if (!make_reference(object, section, &out->relocations[i], out)) {
            out->refused = from->relocations[i].offset;
            return 1;
        }
    }
    qsort(out->relocations, out->relocation_count, sizeof(*out->relocations), by_offset);
    return 0;
}

void far_data_free(struct far_data *data)
{
    free(data->bytes);
    free(data->relocations);
    *data = (struct far_data){0};
}
