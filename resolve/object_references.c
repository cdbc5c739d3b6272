/* object_references.c - see object_references.h. */
#include "resolve/object_references.h"

#include <elf.h>
#include <stdlib.h>

#include "arch/fields.h"
#include "arch/thin.h"
#include "elf/rel_object.h"

static enum reference_kind reference_kind_of(const struct arch_thin *thin)
{
    switch (thin->target) {
    case ARCH_THIN_NONE:
    case ARCH_THIN_TLS_DESCRIPTOR_CALL:
        return REFERENCE_NOTHING;
    case ARCH_THIN_ADDRESS:
    case ARCH_THIN_GOT_RELATIVE:
        return REFERENCE_ADDRESS;
    case ARCH_THIN_BRANCH:
        return REFERENCE_BRANCH;
    case ARCH_THIN_GOT:
    case ARCH_THIN_GOT_OFFSET:
        return REFERENCE_WORD;
    case ARCH_THIN_GOT_BASE:
        return REFERENCE_TABLE;
    case ARCH_THIN_SIZE:
        return REFERENCE_SIZE;
    case ARCH_THIN_TLS_MODULE:
        return REFERENCE_MODULE;
    case ARCH_THIN_TLS_OFFSET:
    case ARCH_THIN_TLS_GOT:
    case ARCH_THIN_TLS_PAIR:
    case ARCH_THIN_TLS_BLOCK:
    case ARCH_THIN_TLS_DESCRIPTOR:
        return REFERENCE_THREAD;
    case ARCH_THIN_UNKNOWN:
        break;
    }
    return REFERENCE_UNKNOWN;
}

/* The references of a section, while its instructions are decoded. */
struct placing {
    struct object_reference *list;
    size_t count, next;
    uint64_t begin; /* of the decoded bytes in the section */
};

static void place_field(size_t field, size_t end, void *context)
{
    struct placing *placing = context;
    uint64_t offset = placing->begin + field;

    while (placing->next < placing->count && placing->list[placing->next].offset < offset)
        placing->next++;
    if (placing->next == placing->count || placing->list[placing->next].offset != offset ||
        !placing->list[placing->next].relative)
        return;
    placing->list[placing->next].displacement += (int64_t)(end - field);
    placing->list[placing->next].placed = true;
}

/* Decode from each symbol on: between two functions of one section there may be bytes that are no code. */
static void code_place(const struct rel_object *object, uint32_t section, struct placing *placing)
{
    const struct rel_section *code = &object->sections[section];
    struct rel_symbols symbols = rel_section_symbols(object, section);
    uint64_t at = 0;

    for (size_t i = 0; i <= symbols.count; i++) {
        uint64_t end = i < symbols.count ? object->symbols[symbols.indexes[i]].value : code->size;

        if (end <= at)
            continue;
        placing->begin = at;
        arch_fields(code->bytes + at, end - at, place_field, placing);
        at = end;
    }
}

static struct object_reference reference_of(const struct rel_section *section,
                                            const struct rel_relocation *relocation)
{
    struct arch_thin thin = arch_thin(relocation->type);
    struct object_reference reference = {.offset = relocation->offset,
                                         .size = thin.size,
                                         .relative = thin.relative,
                                         .placed = !thin.relative,
                                         .kind = reference_kind_of(&thin),
                                         .symbol = relocation->symbol,
                                         .displacement = relocation->addend};

    if (reference.kind == REFERENCE_ADDRESS && (section->flags & SHF_EXECINSTR) && section->bytes &&
        arch_thin_is_branch(relocation->type, section->bytes, relocation->offset))
        reference.kind = REFERENCE_BRANCH;
    return reference;
}

int object_references(const struct rel_object *object, uint32_t section,
                      struct object_reference **out, size_t *count)
{
    const struct rel_section *from = &object->sections[section];
    struct placing placing = {.count = from->relocation_count};

    *out = NULL;
    *count = 0;
    if (!placing.count)
        return 0;
    placing.list = calloc(placing.count, sizeof(*placing.list));
    if (!placing.list)
        return -1;
    for (size_t i = 0; i < placing.count; i++)
        placing.list[i] = reference_of(from, &from->relocations[i]);
    if ((from->flags & SHF_EXECINSTR) && from->bytes)
        code_place(object, section, &placing);
    *out = placing.list;
    *count = placing.count;
    return 0;
}
