/*
 * thin_write.c - see thin_write.h.
 *
 * Sections and symbols of several objects become one object: first the sections are numbered, then the symbols (local
 * symbols first, as ELF asks), then relocations are written with the new numbers. Of contents alone references to data of other objects are changed.
 */
#include "cli/build/thin_write.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base_name.h"
#include "base/refusal.h"
#include "cli/build/file_bytes.h"
#include "cli/build/selection.h"
#include "cli/build/thin_lines.h"
#include "elf/rel_object.h"
#include "elf/thin_digest.h"
#include "elf/thin_file.h"
#include "resolve/far_data.h"

struct thin_section {
    const struct rel_section
        *from; /* NULL: a COMMON symbol's memory, or a section of the writer's own */
    size_t unit;
    Elf64_Shdr header;
    const void *bytes;
    const struct rel_relocation *relocations;
    size_t relocation_count;
    struct far_data far; /* takes the place of the section's own bytes and relocations */
};

struct thin_writer {
    const struct selection *selection;
    struct thin_numbers *units; /* as many as units of the selection */
    struct thin_section *sections;
    size_t section_count, section_room;
    Elf64_Sym *symbols;
    size_t symbol_count, local_count;
    char *names, *lines; /* .strtab, which serves for sections too, and hotpatch_thin */
    size_t names_size, lines_size;
    FILE *names_file;
    struct refusal *why;
};

/* ---- sections ---- */

static bool has_placed(const struct selected_unit *unit)
{
    for (size_t i = 1; i < unit->object->section_count; i++)
        if (unit->sections[i])
            return true;
    for (size_t i = 1; i < unit->object->symbol_count; i++)
        if (unit->object->symbols[i].section == REL_COMMON && unit->symbols[i].kind == CHOICE_OWN)
            return true;
    return false;
}

static bool is_debug(const struct rel_section *section)
{
    return !(section->flags & SHF_ALLOC) && strncmp(section->name, ".debug_", 7) == 0;
}

/* Return whether debug information can be written. The engine does not decompress. */
static bool debug_is_plain(const struct rel_object *object)
{
    for (size_t i = 1; i < object->section_count; i++)
        if (is_debug(&object->sections[i]) && (object->sections[i].flags & SHF_COMPRESSED))
            return false;
    return true;
}

static bool is_unwinding(const struct rel_section *section)
{
    return (section->flags & SHF_ALLOC) && strcmp(section->name, ".eh_frame") == 0;
}

static struct thin_section *add_section(struct thin_writer *writer, const char *name, uint32_t type)
{
    struct thin_section *section;

    if (writer->section_count == writer->section_room) {
        size_t room = writer->section_room ? 2 * writer->section_room : 64;
        struct thin_section *longer = realloc(writer->sections, room * sizeof(*longer));

        if (!longer)
            return NULL;
        writer->sections = longer;
        writer->section_room = room;
    }
    section = &writer->sections[writer->section_count++];
    *section = (struct thin_section){.header = {.sh_name = (Elf64_Word)ftell(writer->names_file),
                                                .sh_type = type,
                                                .sh_addralign = 1}};
    fprintf(writer->names_file, "%s%c", name, '\0');
    return section;
}

/* Return whether the symbol is found by name in the process: its object may lie anywhere. */
static bool is_dynamic(uint32_t symbol, const void *context)
{
    const struct selected_unit *unit = context;

    return unit->symbols[symbol].kind == CHOICE_DYNAMIC;
}

static int refuse_far(const struct selected_unit *unit, const struct rel_section *from,
                      uint64_t offset, struct refusal *why)
{
    size_t count;
    const struct rel_relocation *relocation = rel_relocations_in(from, offset, 1, &count);

    return refuse(why, HP_RELOCATION,
                  "%s: %s+0x%llx refers to %s of another object, which is out of its reach",
                  unit->source, from->name, (unsigned long long)offset,
                  count ? unit->object->symbols[relocation->symbol].name : "data");
}

/* Make the references to data of other objects anew. */
static int take_far_data(struct thin_writer *writer, struct thin_section *section, size_t index)
{
    const struct selected_unit *unit = &writer->selection->units[section->unit];
    int result = far_data_make(unit->object, (uint32_t)index, is_dynamic, unit, &section->far);

    if (result > 0)
        return refuse_far(unit, section->from, section->far.refused, writer->why);
    if (result < 0 || !section->far.bytes)
        return result;
    section->bytes = section->far.bytes;
    section->header.sh_size = section->far.size;
    section->relocations = section->far.relocations;
    section->relocation_count = section->far.relocation_count;
    return 0;
}

static int add_from(struct thin_writer *writer, size_t unit, size_t index)
{
    const struct rel_section *from = &writer->selection->units[unit].object->sections[index];
    struct thin_section *section = add_section(writer, from->name, from->type);

    if (!section)
        return -1;
    section->from = from;
    section->unit = unit;
    section->bytes = from->bytes;
    section->header.sh_flags = from->flags & ~(uint64_t)SHF_GROUP;
    section->header.sh_size = from->size;
    section->header.sh_addralign = from->align ? from->align : 1;
    section->header.sh_entsize = from->entry_size;
    section->relocations = from->relocations;
    section->relocation_count = from->relocation_count;
    writer->units[unit].sections[index] = (uint32_t)writer->section_count - 1;
    return take_far_data(writer, section, index);
}

static int add_unit_sections(struct thin_writer *writer, size_t index)
{
    const struct selected_unit *unit = &writer->selection->units[index];
    const struct rel_object *object = unit->object;
    bool debug = debug_is_plain(object);

    for (size_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if ((unit->sections[i] || is_unwinding(section) || (debug && is_debug(section))) &&
            add_from(writer, index, i) != 0)
            return -1;
    }
    return 0;
}

/* Give a COMMON symbol that is new its own section; st_value is its alignment. */
static int add_common(struct thin_writer *writer, size_t unit, size_t index)
{
    const struct rel_symbol *symbol = &writer->selection->units[unit].object->symbols[index];
    struct thin_section *section = add_section(writer, ".bss", SHT_NOBITS);

    if (!section)
        return -1;
    section->header.sh_flags = SHF_ALLOC | SHF_WRITE;
    section->header.sh_size = symbol->size;
    section->header.sh_addralign = symbol->value ? symbol->value : 1;
    writer->units[unit].common[index] = (uint32_t)writer->section_count - 1;
    return 0;
}

static int add_commons(struct thin_writer *writer, size_t unit)
{
    const struct selected_unit *from = &writer->selection->units[unit];

    for (size_t i = 1; i < from->object->symbol_count; i++)
        if (from->object->symbols[i].section == REL_COMMON && from->symbols[i].kind == CHOICE_OWN &&
            add_common(writer, unit, i) != 0)
            return -1;
    return 0;
}

/* ---- symbols ---- */

/* Return the number of the written section that defines the symbol; SHN_UNDEF if no written section does. */
static uint32_t section_of(const struct thin_writer *writer, size_t unit, size_t index)
{
    const struct rel_symbol *symbol = &writer->selection->units[unit].object->symbols[index];

    if (symbol->section == REL_ABSOLUTE)
        return SHN_ABS;
    if (symbol->section == REL_COMMON)
        return writer->units[unit].common[index];
    if (symbol->section == REL_UNDEFINED)
        return SHN_UNDEF;
    return writer->units[unit].sections[symbol->section];
}

static void mark_used(struct thin_writer *writer, const struct thin_section *section)
{
    const struct selected_unit *unit = &writer->selection->units[section->unit];

    for (size_t i = 0; i < section->relocation_count; i++) {
        uint32_t symbol = section->relocations[i].symbol;
        const struct symbol_choice *choice = &unit->symbols[symbol];

        if (choice->kind == CHOICE_UNIT)
            writer->units[choice->unit].used[choice->symbol] = true;
        else
            writer->units[section->unit].used[symbol] = true;
    }
}

/* Mark the symbols that are written: of relocations, of placed functions and data, and the files' names. */
static void mark_symbols(struct thin_writer *writer)
{
    for (size_t i = 1; i < writer->section_count; i++)
        mark_used(writer, &writer->sections[i]);
    for (size_t u = 0; u < writer->selection->unit_count; u++) {
        const struct selected_unit *unit = &writer->selection->units[u];

        for (size_t i = 1; writer->units[u].placed && i < unit->object->symbol_count; i++)
            if (unit->object->symbols[i].type == STT_FILE ||
                (unit->symbols[i].kind == CHOICE_OWN && section_of(writer, u, i) != SHN_UNDEF))
                writer->units[u].used[i] = true;
    }
}

static void number_symbol(struct thin_writer *writer, size_t unit, size_t index)
{
    const struct rel_symbol *from = &writer->selection->units[unit].object->symbols[index];
    Elf64_Sym *symbol = &writer->symbols[writer->symbol_count];
    uint32_t section = section_of(writer, unit, index);

    writer->units[unit].symbols[index] = (uint32_t)writer->symbol_count++;
    *symbol = (Elf64_Sym){.st_name = (Elf64_Word)ftell(writer->names_file),
                          .st_info = ELF64_ST_INFO(from->binding, from->type),
                          .st_other = from->visibility,
                          .st_shndx = (Elf64_Half)section,
                          .st_value = from->section == REL_COMMON ? 0 : from->value,
                          .st_size = from->size};
    fprintf(writer->names_file, "%s%c", from->name, '\0');
}

static void number_all(struct thin_writer *writer, bool local)
{
    for (size_t u = 0; u < writer->selection->unit_count; u++) {
        const struct rel_object *object = writer->selection->units[u].object;

        for (size_t i = 1; i < object->symbol_count; i++)
            if (writer->units[u].used[i] && (object->symbols[i].binding == STB_LOCAL) == local)
                number_symbol(writer, u, i);
    }
}

static int number_symbols(struct thin_writer *writer)
{
    size_t most = 1;

    mark_symbols(writer);
    for (size_t u = 0; u < writer->selection->unit_count; u++)
        most += writer->selection->units[u].object->symbol_count;
    writer->symbols = calloc(most, sizeof(*writer->symbols));
    if (!writer->symbols)
        return -1;
    writer->symbol_count = 1;
    number_all(writer, true);
    writer->local_count = writer->symbol_count;
    number_all(writer, false);
    return 0;
}

/* ---- relocations, and the writer's own sections ---- */

static uint32_t written_symbol(const struct thin_writer *writer, size_t unit, uint32_t symbol)
{
    const struct symbol_choice *choice = &writer->selection->units[unit].symbols[symbol];

    return choice->kind == CHOICE_UNIT ? writer->units[choice->unit].symbols[choice->symbol]
                                       : writer->units[unit].symbols[symbol];
}

static int add_relocations(struct thin_writer *writer, size_t of)
{
    const struct rel_section *from = writer->sections[of].from;
    const struct rel_relocation *relocations = writer->sections[of].relocations;
    size_t unit = writer->sections[of].unit, count = writer->sections[of].relocation_count;
    struct thin_section *section;
    char name[300];
    Elf64_Rela *rela;

    if (count == 0)
        return 0;
    snprintf(name, sizeof(name), ".rela%s", from->name);
    rela = calloc(count, sizeof(*rela));
    section = rela ? add_section(writer, name, SHT_RELA) : NULL;
    if (!section) {
        free(rela);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct rel_relocation *r = &relocations[i];

        rela[i] = (Elf64_Rela){
            r->offset, ELF64_R_INFO((uint64_t)written_symbol(writer, unit, r->symbol), r->type),
            r->addend};
    }
    section->bytes = rela;
    section->header.sh_flags = SHF_INFO_LINK;
    section->header.sh_size = count * sizeof(*rela);
    section->header.sh_entsize = sizeof(*rela);
    section->header.sh_addralign = 8;
    section->header.sh_info = (Elf64_Word)of;
    return 0;
}

/* Add the sections that the writer makes itself; .symtab and .strtab come last. */
static int add_own_sections(struct thin_writer *writer)
{
    size_t from_objects = writer->section_count, symtab;
    struct thin_section *section;

    for (size_t i = 1; i < from_objects; i++)
        if (add_relocations(writer, i) != 0)
            return -1;
    if (!(section = add_section(writer, THIN_SECTION, SHT_PROGBITS)))
        return -1;
    section->bytes = writer->lines;
    section->header.sh_size = writer->lines_size;
    symtab = writer->section_count;
    if (!(section = add_section(writer, ".symtab", SHT_SYMTAB)))
        return -1;
    section->bytes = writer->symbols;
    section->header.sh_size = writer->symbol_count * sizeof(*writer->symbols);
    section->header.sh_entsize = sizeof(*writer->symbols);
    section->header.sh_addralign = 8;
    section->header.sh_link = (Elf64_Word)symtab + 1;
    section->header.sh_info = (Elf64_Word)writer->local_count;
    for (size_t i = from_objects; i < symtab; i++)
        if (writer->sections[i].header.sh_type == SHT_RELA)
            writer->sections[i].header.sh_link = (Elf64_Word)symtab;
    if (!(section = add_section(writer, ".strtab", SHT_STRTAB)) || fflush(writer->names_file) != 0)
        return -1;
    section->bytes = writer->names;
    section->header.sh_size = writer->names_size;
    return 0;
}

/* ---- the file ---- */

static uint64_t rounded_up(uint64_t value, uint64_t align)
{
    return align > 1 ? (value + align - 1) / align * align : value;
}

static uint64_t settle_offsets(struct thin_writer *writer)
{
    uint64_t at = sizeof(Elf64_Ehdr);

    for (size_t i = 1; i < writer->section_count; i++) {
        Elf64_Shdr *header = &writer->sections[i].header;

        header->sh_offset = at = rounded_up(at, header->sh_addralign);
        if (header->sh_type != SHT_NOBITS)
            at += header->sh_size;
    }
    return rounded_up(at, 8);
}

static Elf64_Half machine_of(const struct thin_writer *writer)
{
    Elf64_Ehdr header = {0};

    if (writer->selection->unit_count > 0)
        memcpy(&header, writer->selection->units[0].object->bytes, sizeof(header));
    return header.e_machine;
}

static int put_together(struct thin_writer *writer, void **bytes, size_t *size)
{
    uint64_t headers = settle_offsets(writer);
    size_t total = headers + writer->section_count * sizeof(Elf64_Shdr);
    char *file = calloc(1, total);

    if (!file)
        return -1;
    *(Elf64_Ehdr *)(void *)file = (Elf64_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_REL,
        .e_machine = machine_of(writer),
        .e_version = EV_CURRENT,
        .e_shoff = headers,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = (Elf64_Half)writer->section_count,
        .e_shstrndx = (Elf64_Half)(writer->section_count - 1)};
    for (size_t i = 1; i < writer->section_count; i++) {
        const struct thin_section *section = &writer->sections[i];

        memcpy(file + headers + i * sizeof(Elf64_Shdr), &section->header, sizeof(Elf64_Shdr));
        if (section->header.sh_type != SHT_NOBITS && section->header.sh_size)
            memcpy(file + section->header.sh_offset, section->bytes, section->header.sh_size);
    }
    for (size_t i = 1; i < writer->section_count; i++)
        if ((const char *)writer->sections[i].bytes == writer->lines)
            thin_digest_set(file, total, writer->sections[i].header.sh_offset,
                            writer->sections[i].header.sh_size);
    *bytes = file;
    *size = total;
    return 0;
}

static int writer_begin(struct thin_writer *writer)
{
    const struct selection *selection = writer->selection;

    writer->names_file = open_memstream(&writer->names, &writer->names_size);
    writer->units = calloc(selection->unit_count + 1, sizeof(*writer->units));
    if (!writer->names_file || !writer->units)
        return -1;
    fputc('\0', writer->names_file);
    for (size_t u = 0; u < selection->unit_count; u++) {
        const struct rel_object *object = selection->units[u].object;
        struct thin_numbers *unit = &writer->units[u];

        unit->placed = has_placed(&selection->units[u]);
        unit->sections = calloc(object->section_count + 1, sizeof(*unit->sections));
        unit->symbols = calloc(object->symbol_count + 1, sizeof(*unit->symbols));
        unit->common = calloc(object->symbol_count + 1, sizeof(*unit->common));
        unit->used = calloc(object->symbol_count + 1, sizeof(*unit->used));
        if (!unit->sections || !unit->symbols || !unit->common || !unit->used)
            return -1;
    }
    return add_section(writer, "", SHT_NULL) ? 0 : -1;
}

static void writer_end(struct thin_writer *writer)
{
    for (size_t u = 0; writer->units && u < writer->selection->unit_count; u++) {
        free(writer->units[u].sections);
        free(writer->units[u].symbols);
        free(writer->units[u].common);
        free(writer->units[u].used);
    }
    for (size_t i = 0; i < writer->section_count; i++) {
        if (writer->sections[i].header.sh_type == SHT_RELA)
            free((void *)(uintptr_t)writer->sections[i].bytes);
        far_data_free(&writer->sections[i].far);
    }
    if (writer->names_file)
        fclose(writer->names_file);
    free(writer->names);
    free(writer->lines);
    free(writer->units);
    free(writer->sections);
    free(writer->symbols);
}

static int compose(struct thin_writer *writer, const struct thin_meta *meta, void **bytes,
                   size_t *size, struct refusal *why)
{
    const struct selection *selection = writer->selection;

    if (writer_begin(writer) != 0)
        return -1;
    for (size_t u = 0; u < selection->unit_count; u++)
        if (writer->units[u].placed &&
            (add_unit_sections(writer, u) != 0 || add_commons(writer, u) != 0))
            return -1;
    if (number_symbols(writer) != 0 ||
        thin_lines(&writer->lines, &writer->lines_size, selection, meta, writer->units, why) != 0 ||
        add_own_sections(writer) != 0)
        return -1;
    if (writer->section_count >= SHN_LORESERVE)
        return refuse(why, HP_TOO_LARGE, "%s: more sections than a file can have", meta->name);
    return put_together(writer, bytes, size);
}

int thin_compose(void **bytes, size_t *size, const struct selection *selection,
                 const struct thin_meta *meta, struct refusal *why)
{
    struct thin_writer writer = {.selection = selection, .why = why};
    size_t before = why->count;
    int result;

    *bytes = NULL;
    *size = 0;
    result = compose(&writer, meta, bytes, size, why);
    if (result != 0 && why->count == before)
        refuse(why, HP_MEMORY, "write %s: no memory", meta->name);
    writer_end(&writer);
    return result;
}

/* Return whether a file at the path may be exchanged for another: not a device, which root would take away from all programs. */
static bool may_be_exchanged(const char *path)
{
    struct stat facts;

    if (stat(path, &facts) == 0)
        return S_ISREG(facts.st_mode);
    return errno == ENOENT;
}

static int write_out(const char *path, const void *bytes, size_t size, struct refusal *why)
{
    if (!may_be_exchanged(path))
        return refuse(why, HP_OPEN, "write %s: it is there, and is no regular file", path);
    if (file_bytes_exchange(path, bytes, size, 0644) != 0)
        return refuse(why, HP_OPEN, "write %s: %s", path, strerror(errno));
    return 0;
}

int thin_write(const char *path, const struct selection *selection, const struct thin_meta *meta,
               struct refusal *why)
{
    void *bytes;
    size_t size;
    int result;

    if (thin_compose(&bytes, &size, selection, meta, why) != 0)
        return -1;
    result = write_out(path, bytes, size, why);
    free(bytes);
    return result;
}
