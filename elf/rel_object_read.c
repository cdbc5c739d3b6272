/*
 * rel_object_read.c - see rel_object_read.h. Generic ABI, chapter 4, "Object Files"; the numbers of sections above 65,279 as
 * in "Section Indexes".
 */
#include "elf/rel_object_read.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine.h"

/* A file of this size has fewer symbols, sections and relocations than 32 bits count. */
#define OBJECT_MAX (UINT64_C(1) << 31)

/* The tables of the file, found and checked before they are read. */
struct object_tables {
    struct rel_object *object;
    struct elf_error *error;
    Elf64_Ehdr header;
    const uint8_t *sections;           /* Elf64_Shdr, perhaps unaligned */
    uint32_t names, symbols;           /* sections: of section names, of symbols; 0: none */
    const uint8_t *extended;           /* Elf32_Word for each symbol, SHT_SYMTAB_SHNDX; or NULL */
    const struct rel_section *strings; /* of symbols */
};

static bool in_object_file(const struct rel_object *object, uint64_t offset, uint64_t size)
{
    return offset <= object->size && size <= object->size - offset;
}

static int object_damaged(const struct object_tables *tables, const char *what, uint64_t index)
{
    return elf_fail(tables->error, ELF_DAMAGED, "%s (%llu)", what, (unsigned long long)index);
}

static int object_no_memory(const struct object_tables *tables)
{
    return elf_fail(tables->error, ELF_NO_MEMORY, "no memory to read an object file");
}

/* ------------------------------------------------------- the header --- */

static int check_identity(const struct object_tables *tables)
{
    const Elf64_Ehdr *header = &tables->header;
    struct elf_error *error = tables->error;

    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return elf_fail(error, ELF_NOT, "it is not an ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
        return elf_fail(error, ELF_CLASS_WRONG, "it is not 64-bit little-endian");
    if (header->e_machine != machine_elf)
        return elf_fail(error, ELF_MACHINE_WRONG, "it is for machine %u", header->e_machine);
    if (header->e_type != ET_REL)
        return elf_fail(error, ELF_TYPE_WRONG, "it is not a relocatable object");
    return 0;
}

static int read_object_header(struct object_tables *tables)
{
    struct rel_object *object = tables->object;
    Elf64_Ehdr *header = &tables->header;
    Elf64_Shdr first;

    if (object->size < SELFMAG || memcmp(object->bytes, ELFMAG, SELFMAG) != 0)
        return elf_fail(tables->error, ELF_NOT, "it is not an ELF file");
    if (object->size < sizeof *header || object->size > OBJECT_MAX)
        return object_damaged(tables, "the file is too short or too long", object->size);
    memcpy(header, object->bytes, sizeof *header);
    if (check_identity(tables))
        return -1;
    if (header->e_shentsize != sizeof first ||
        !in_object_file(object, header->e_shoff, sizeof first) || header->e_shoff == 0)
        return object_damaged(tables, "the section headers lie outside the file", header->e_shoff);
    tables->sections = object->bytes + header->e_shoff;
    memcpy(&first, tables->sections, sizeof first);
    object->section_count = header->e_shnum ? header->e_shnum : first.sh_size;
    tables->names = header->e_shstrndx == SHN_XINDEX ? first.sh_link : header->e_shstrndx;
    if (object->section_count == 0 || object->section_count > OBJECT_MAX / sizeof first ||
        !in_object_file(object, header->e_shoff, object->section_count * sizeof first))
        return object_damaged(tables, "the section headers lie outside the file",
                              object->section_count);
    if (tables->names == 0 || tables->names >= object->section_count)
        return object_damaged(tables, "there is no section of names", tables->names);
    object->flags = header->e_flags;
    return 0;
}

/* ------------------------------------------------------- sections --- */

static int read_section(struct object_tables *tables, uint32_t i, uint32_t *name)
{
    struct rel_object *object = tables->object;
    struct rel_section *section = &object->sections[i];
    Elf64_Shdr header;

    memcpy(&header, tables->sections + i * sizeof header, sizeof header);
    *name = header.sh_name;
    section->name = "";
    section->align = 1;
    if (header.sh_type == SHT_NULL)
        return 0;
    section->type = header.sh_type;
    section->flags = header.sh_flags;
    section->size = header.sh_size;
    section->align = header.sh_addralign ? header.sh_addralign : 1;
    section->entry_size = header.sh_entsize;
    section->link = header.sh_link;
    section->info = header.sh_info;
    if (section->align & (section->align - 1))
        return object_damaged(tables, "an alignment is no power of two, of section", i);
    if (section->size > INT64_MAX / 2)
        return object_damaged(tables, "the size is not possible, of section", i);
    if (section->type == SHT_NOBITS || section->size == 0)
        return 0;
    if (!in_object_file(object, header.sh_offset, section->size))
        return object_damaged(tables, "the bytes lie outside the file, of section", i);
    section->bytes = object->bytes + header.sh_offset;
    return 0;
}

/* Return whether a section is a string table: it ends in a NUL, so that each offset below its size is a string. */
static bool is_string_table(const struct rel_object *object, uint32_t i)
{
    const struct rel_section *section = &object->sections[i];

    return i < object->section_count && section->type == SHT_STRTAB && section->bytes &&
           section->bytes[section->size - 1] == '\0';
}

static const char *object_string(const struct rel_section *strings, uint32_t offset)
{
    return offset < strings->size ? (const char *)strings->bytes + offset : NULL;
}

static int read_object_sections(struct object_tables *tables)
{
    struct rel_object *object = tables->object;
    uint32_t *names = calloc(object->section_count, sizeof *names);
    int result = -1;

    object->sections = calloc(object->section_count, sizeof *object->sections);
    if (!names || !object->sections) {
        object_no_memory(tables);
        goto done;
    }
    for (uint32_t i = 0; i < object->section_count; i++) {
        if (read_section(tables, i, &names[i]))
            goto done;
    }
    if (!is_string_table(object, tables->names)) {
        object_damaged(tables, "the names of sections are no string table", tables->names);
        goto done;
    }
    for (uint32_t i = 1; i < object->section_count; i++) {
        const char *name = object_string(&object->sections[tables->names], names[i]);
        if (!name) {
            object_damaged(tables, "the name lies outside the string table, of section", i);
            goto done;
        }
        object->sections[i].name = name;
    }
    result = 0;
done:
    free(names);
    return result;
}

/* ------------------------------------------------------- symbols --- */

static int find_symbol_table(struct object_tables *tables)
{
    struct rel_object *object = tables->object;

    for (uint32_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];
        if (section->type != SHT_SYMTAB)
            continue;
        if (tables->symbols)
            return object_damaged(tables, "there is a second symbol table", i);
        if (section->entry_size != sizeof(Elf64_Sym) || section->size % sizeof(Elf64_Sym) != 0 ||
            !is_string_table(object, section->link))
            return object_damaged(tables, "the symbol table is damaged", i);
        tables->symbols = i;
        tables->strings = &object->sections[section->link];
        object->symbol_count = section->size / sizeof(Elf64_Sym);
    }
    for (uint32_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];
        if (section->type == SHT_SYMTAB_SHNDX && section->link == tables->symbols &&
            section->size / sizeof(Elf32_Word) >= object->symbol_count)
            tables->extended = section->bytes;
    }
    return 0;
}

static int symbol_section(const struct object_tables *tables, uint32_t i, const Elf64_Sym *symbol,
                          uint32_t *section)
{
    uint32_t index = symbol->st_shndx;

    if (index == SHN_ABS || index == SHN_COMMON) {
        *section = index == SHN_ABS ? REL_ABSOLUTE : REL_COMMON;
        return 0;
    }
    if (index == SHN_XINDEX && tables->extended)
        memcpy(&index, tables->extended + i * sizeof index, sizeof index);
    else if (index >= SHN_LORESERVE)
        return object_damaged(tables, "the section is of a kind that is not known, of symbol", i);
    if (index >= tables->object->section_count)
        return object_damaged(tables, "the section is not there, of symbol", i);
    *section = index;
    return 0;
}

static int read_rel_symbol(const struct object_tables *tables, uint32_t i)
{
    const struct rel_object *object = tables->object;
    struct rel_symbol *symbol = &object->symbols[i];
    Elf64_Sym entry;

    memcpy(&entry, object->sections[tables->symbols].bytes + i * sizeof entry, sizeof entry);
    symbol->name = object_string(tables->strings, entry.st_name);
    if (!symbol->name)
        return object_damaged(tables, "the name lies outside the string table, of symbol", i);
    symbol->value = entry.st_value;
    symbol->size = entry.st_size;
    symbol->type = ELF64_ST_TYPE(entry.st_info);
    symbol->binding = ELF64_ST_BIND(entry.st_info);
    symbol->visibility = ELF64_ST_VISIBILITY(entry.st_other);
    if (symbol_section(tables, i, &entry, &symbol->section))
        return -1;
    if (!rel_symbol_placed(symbol))
        return 0;
    uint64_t room = object->sections[symbol->section].size;
    if (symbol->value > room || symbol->size > room - symbol->value)
        return object_damaged(tables, "the bytes lie outside the section, of symbol", i);
    if (symbol->type == STT_SECTION)
        symbol->name = object->sections[symbol->section].name;
    return 0;
}

static int read_object_symbols(struct object_tables *tables)
{
    struct rel_object *object = tables->object;

    if (find_symbol_table(tables))
        return -1;
    if (object->symbol_count == 0)
        object->symbol_count = 1;
    object->symbols = calloc(object->symbol_count, sizeof *object->symbols);
    if (!object->symbols)
        return object_no_memory(tables);
    object->symbols[0].name = "";
    object->file = "";
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        if (read_rel_symbol(tables, i))
            return -1;
        if (object->symbols[i].type == STT_FILE && !object->file[0])
            object->file = object->symbols[i].name;
    }
    return 0;
}

/* ------------------------------------------------------- relocations --- */

/* Return the number of relocations in a SHT_RELA section that applies to a section; 0: none, or it is damaged. */
static size_t table_count(const struct object_tables *tables, const struct rel_section *table)
{
    return table->type == SHT_RELA && table->entry_size == sizeof(Elf64_Rela) &&
                   table->size % sizeof(Elf64_Rela) == 0 && table->link == tables->symbols &&
                   table->info > 0 && table->info < tables->object->section_count
               ? table->size / sizeof(Elf64_Rela)
               : 0;
}

static int read_relocation(const struct object_tables *tables, const struct rel_section *section,
                           const uint8_t *bytes, struct rel_relocation *out)
{
    Elf64_Rela entry;

    memcpy(&entry, bytes, sizeof entry);
    *out = (struct rel_relocation){
        .offset = entry.r_offset,
        .addend = entry.r_addend,
        .type = ELF64_R_TYPE(entry.r_info),
        .symbol = ELF64_R_SYM(entry.r_info),
    };
    uint64_t field = arch_thin(out->type).size;
    if (out->symbol >= tables->object->symbol_count)
        return elf_fail(tables->error, ELF_DAMAGED, "a relocation of %.100s names no symbol",
                        section->name);
    if (out->offset > section->size || field > section->size - out->offset)
        return elf_fail(tables->error, ELF_DAMAGED, "a relocation lies outside %.100s",
                        section->name);
    return 0;
}

static int compare_relocations(const void *a, const void *b)
{
    const struct rel_relocation *first = a, *second = b;

    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

static int read_relocation_table(const struct object_tables *tables,
                                 const struct rel_section *table, struct rel_relocation *out)
{
    struct rel_section *section = &tables->object->sections[table->info];
    size_t count = table_count(tables, table);
    bool ascending = true;

    if (section->relocations)
        return elf_fail(tables->error, ELF_DAMAGED, "%.100s has two tables of relocations",
                        section->name);
    for (size_t i = 0; i < count; i++) {
        if (read_relocation(tables, section, table->bytes + i * sizeof(Elf64_Rela), &out[i]))
            return -1;
        ascending = ascending && (i == 0 || out[i - 1].offset <= out[i].offset);
    }
    if (!ascending)
        qsort(out, count, sizeof *out, compare_relocations);
    section->relocations = out;
    section->relocation_count = count;
    return 0;
}

static int read_object_relocations(struct object_tables *tables)
{
    struct rel_object *object = tables->object;
    size_t total = 0;

    for (uint32_t i = 1; i < object->section_count; i++) {
        const struct rel_section *table = &object->sections[i];
        if ((table->type == SHT_RELA || table->type == SHT_REL) && table->size &&
            table_count(tables, table) == 0)
            return object_damaged(tables, "a table of relocations is damaged, section", i);
        total += table_count(tables, table);
    }
    object->all_relocations = calloc(total + 1, sizeof *object->all_relocations);
    if (!object->all_relocations)
        return object_no_memory(tables);
    struct rel_relocation *next = object->all_relocations;
    for (uint32_t i = 1; i < object->section_count; i++) {
        size_t count = table_count(tables, &object->sections[i]);
        if (count && read_relocation_table(tables, &object->sections[i], next))
            return -1;
        next += count;
    }
    return 0;
}

/* ------------------------------------------------------- groups --- */

static int read_section_group(const struct object_tables *tables, uint32_t group)
{
    struct rel_object *object = tables->object;
    const struct rel_section *section = &object->sections[group];

    if (!section->bytes || section->size % sizeof(Elf32_Word) != 0 ||
        section->link != tables->symbols || section->info >= object->symbol_count)
        return object_damaged(tables, "a section group is damaged, section", group);
    for (uint64_t at = sizeof(Elf32_Word); at < section->size; at += sizeof(Elf32_Word)) {
        uint32_t member;
        memcpy(&member, section->bytes + at, sizeof member);
        if (member == 0 || member >= object->section_count || object->sections[member].group)
            return object_damaged(tables, "a section group names a wrong section, section", group);
        object->sections[member].group = group;
    }
    return 0;
}

static int read_section_groups(const struct object_tables *tables)
{
    for (uint32_t i = 1; i < tables->object->section_count; i++) {
        if (tables->object->sections[i].type == SHT_GROUP && read_section_group(tables, i))
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------- open and close --- */

int rel_object_open(struct rel_object **out, const void *bytes, size_t size,
                    struct elf_error *error)
{
    struct rel_object *object = calloc(1, sizeof *object);
    struct object_tables tables = {.object = object, .error = error};

    *out = NULL;
    if (!object)
        return object_no_memory(&tables);
    object->bytes = bytes;
    object->size = size;
    if (read_object_header(&tables) || read_object_sections(&tables) ||
        read_object_symbols(&tables) || read_object_relocations(&tables) ||
        read_section_groups(&tables))
        goto failed;
    if (rel_object_index(object)) {
        object_no_memory(&tables);
        goto failed;
    }
    *out = object;
    return 0;
failed:
    rel_object_close(object);
    return -1;
}

void rel_object_close(struct rel_object *object)
{
    if (!object)
        return;
    free(object->sections);
    free(object->symbols);
    free(object->all_relocations);
    free(object->section_symbols);
    free(object->by_section);
    free(object->by_name);
    free(object);
}

const char *rel_group_signature(const struct rel_object *object, uint32_t group, bool *comdat)
{
    uint32_t flags = 0;

    if (group == 0 || group >= object->section_count || object->sections[group].type != SHT_GROUP)
        return NULL;
    memcpy(&flags, object->sections[group].bytes, sizeof flags);
    if (comdat)
        *comdat = flags & GRP_COMDAT;
    return object->symbols[object->sections[group].info].name;
}
