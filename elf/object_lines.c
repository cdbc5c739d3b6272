/*
 * object_lines.c - see object_lines.h.
 *
 * The new line number table and its relocations stand at the end of the file; what was there before stays in its place:
 *
 *     | ELF header ... .debug_line ... section headers | new .debug_line | new .rela.debug_line |
 *                                          two of them changed
 */
#include "elf/object_lines.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/decl_lines.h"
#include "elf/line_program.h"
#include "elf/rel_object_read.h"

#define ALIGNED 8

struct lined_object {
    struct rel_object *object;
    struct line_table table;
    uint32_t section;     /* .debug_line */
    uint32_t relocations; /* its SHT_RELA section; 0: none */
};

/* Find the only section of the name, and its relocations. */
static bool find_sections(struct lined_object *lined)
{
    const struct rel_object *object = lined->object;

    lined->section = rel_section_named(object, ".debug_line");
    for (uint32_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if (i != lined->section && strcmp(section->name, ".debug_line") == 0)
            return false;
        if ((section->type == SHT_RELA || section->type == SHT_REL) &&
            section->info == lined->section) {
            if (lined->relocations || section->type == SHT_REL)
                return false;
            lined->relocations = i;
        }
    }
    return lined->section && !(object->sections[lined->section].flags & SHF_ALLOC) &&
           (lined->relocations || !object->sections[lined->section].relocation_count);
}

static size_t rounded(size_t size)
{
    return (size + ALIGNED - 1) / ALIGNED * ALIGNED;
}

static void write_relocations(const struct lined_object *lined, char *to)
{
    const struct rel_section *section = &lined->object->sections[lined->section];

    for (size_t i = 0; i < section->relocation_count; i++) {
        const struct line_relocation *relocation = &lined->table.relocations[i];
        const struct rel_relocation *like = &section->relocations[relocation->like];
        Elf64_Rela rela = {relocation->offset, ELF64_R_INFO((uint64_t)like->symbol, like->type),
                           like->addend};

        memcpy(to + i * sizeof(rela), &rela, sizeof(rela));
    }
}

static bool shares_nothing(const char *one, size_t one_size, const char *two, size_t two_size)
{
    return one + one_size <= two || two + two_size <= one;
}

/* Return whether the section shares no byte with another one or with the headers. */
static bool stands_alone(const struct rel_object *object, uint32_t index)
{
    const char *file = (const char *)object->bytes;
    const char *bytes = (const char *)object->sections[index].bytes;
    size_t size = object->sections[index].size;
    Elf64_Ehdr header;

    memcpy(&header, file, sizeof(header));
    if (!bytes || !shares_nothing(file, sizeof(header), bytes, size) ||
        !shares_nothing(file + header.e_shoff, object->section_count * sizeof(Elf64_Shdr), bytes,
                        size))
        return false;
    for (uint32_t i = 1; i < object->section_count; i++)
        if (i != index && object->sections[i].bytes &&
            !shares_nothing((const char *)object->sections[i].bytes, object->sections[i].size,
                            bytes, size))
            return false;
    return true;
}

/* Give a section its new place. */
static void move_section(char *bytes, uint32_t index, size_t place, size_t size)
{
    Elf64_Ehdr header;
    Elf64_Shdr section;
    char *at;

    memcpy(&header, bytes, sizeof(header));
    at = bytes + header.e_shoff + index * sizeof(section);
    memcpy(&section, at, sizeof(section));
    section.sh_offset = place;
    section.sh_size = size;
    memcpy(at, &section, sizeof(section));
}

/* Return the new file. */
static char *write_object(const struct lined_object *lined, const struct line_map *map,
                          size_t *size)
{
    size_t count = lined->object->sections[lined->section].relocation_count;
    size_t table_at = rounded(lined->object->size);
    size_t relocations_at = rounded(table_at + lined->table.size);
    char *bytes;

    *size = relocations_at + count * sizeof(Elf64_Rela);
    bytes = calloc(1, *size);
    if (!bytes)
        return NULL;
    memcpy(bytes, lined->object->bytes, lined->object->size);
    memcpy(bytes + table_at, lined->table.bytes, lined->table.size);
    move_section(bytes, lined->section, table_at, lined->table.size);
    if (lined->relocations) {
        write_relocations(lined, bytes + relocations_at);
        move_section(bytes, lined->relocations, relocations_at, count * sizeof(Elf64_Rela));
    }
    if (stands_alone(lined->object, rel_section_named(lined->object, ".debug_info")))
        decl_lines_change((uint8_t *)bytes, lined->object, &lined->table, map);
    return bytes;
}

int object_lines_change(char **bytes, size_t *size, const struct line_map *map)
{
    struct lined_object lined = {0};
    struct elf_error error = {0};
    char *changed = NULL;
    size_t changed_size;

    if (rel_object_open(&lined.object, *bytes, *size, &error) != 0)
        return -1;
    if (find_sections(&lined) &&
        line_program_rewrite(&lined.table, lined.object, lined.section, map) == 0) {
        changed = write_object(&lined, map, &changed_size);
        line_table_free(&lined.table);
    }
    rel_object_close(lined.object);
    if (!changed)
        return -1;
    free(*bytes);
    *bytes = changed;
    *size = changed_size;
    return 0;
}
