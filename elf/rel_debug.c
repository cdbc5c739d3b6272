/* rel_debug.c - see rel_debug.h. */
#include "elf/rel_debug.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"

#define DW_OP_CONST8U 0x0e /* DWARF 5, 7.7.1 */

/* Return what stands for the symbol's address. Sections of 4 GiB and more do not exist in objects that are compiled. */
static uint64_t place_address(const struct rel_object *object,
                              const struct rel_relocation *relocation)
{
    const struct rel_symbol *symbol = &object->symbols[relocation->symbol];
    uint64_t upper, offset = (uint64_t)relocation->addend;

    if (rel_symbol_placed(symbol)) {
        upper = symbol->section;
        offset += symbol->value;
    } else {
        upper = symbol->section == REL_ABSOLUTE ? 0 : REL_DEBUG_SYMBOL | relocation->symbol;
    }
    return upper << 32 | (uint32_t)offset;
}

/* Return the size of the field. gcc relocates the lower half of a thread-local's offset alone (DW_OP_const8u). */
static size_t field_size(const struct rel_section *section, const struct rel_relocation *relocation,
                         const struct arch_thin *kind)
{
    if (kind->target == ARCH_THIN_TLS_BLOCK && kind->size == 4 && relocation->offset > 0 &&
        section->bytes[relocation->offset - 1] == DW_OP_CONST8U &&
        section->size - relocation->offset >= sizeof(uint64_t))
        return sizeof(uint64_t);
    return kind->size;
}

/* A field of 4 bytes is an offset in another debug section. */
static void relocate(const struct rel_object *object, const struct rel_section *section,
                     const struct rel_relocation *relocation, uint8_t *bytes)
{
    struct arch_thin kind = arch_thin(relocation->type);
    uint64_t value = place_address(object, relocation);

    if (kind.relative || (kind.target != ARCH_THIN_ADDRESS && kind.target != ARCH_THIN_TLS_BLOCK) ||
        kind.size < 4)
        return;
    memcpy(bytes + relocation->offset, &value, field_size(section, relocation, &kind));
}

uint8_t *rel_debug_copy(const struct rel_object *object)
{
    uint8_t *copy = malloc(object->size);

    if (!copy)
        return NULL;
    memcpy(copy, object->bytes, object->size);
    for (size_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if (!section->bytes || (section->flags & (SHF_ALLOC | SHF_COMPRESSED)) ||
            strncmp(section->name, ".debug_", strlen(".debug_")) != 0)
            continue;
        for (size_t k = 0; k < section->relocation_count; k++)
            relocate(object, section, &section->relocations[k],
                     copy + (section->bytes - object->bytes));
    }
    return copy;
}
