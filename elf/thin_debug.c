/*
 * thin_debug.c - see thin_debug.h.
 *
 * Debuggers add l_addr, which is 0, to all addresses of the file; so debug sections are relocated here. What refers to
 * code or data that is not placed gets 0, which debuggers take for code that the linker left out; in .debug_ranges and
 * .debug_loc 1, since a pair of zeros ends a list there.
 *
 * Debug sections are the file's end: with them cut off, the rest still is a whole file.
 */
#include "elf/thin_debug.h"

#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"
#include "elf/thin_link_scan.h"
#include "elf/thin_relocate.h"

static const struct {
    const char *name;
    uint32_t type;
    uint64_t flags, entry_size;
    enum thin_part link; /* sh_link */
} headers[PART_COUNT] = {
    [PART_HASH] = {".hash", SHT_HASH, SHF_ALLOC, 4, PART_DYNSYM},
    [PART_DYNSYM] = {".dynsym", SHT_DYNSYM, SHF_ALLOC, sizeof(Elf64_Sym), PART_DYNSTR},
    [PART_DYNSTR] = {".dynstr", SHT_STRTAB, SHF_ALLOC, 0, PART_NONE},
    [PART_VERSYM] = {".gnu.version", SHT_GNU_versym, SHF_ALLOC, 2, PART_DYNSYM},
    [PART_VERNEED] = {".gnu.version_r", SHT_GNU_verneed, SHF_ALLOC, 0, PART_DYNSTR},
    [PART_RELA] = {".rela.dyn", SHT_RELA, SHF_ALLOC, sizeof(Elf64_Rela), PART_DYNSYM},
    [PART_FRAME_TABLE] = {".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, 0, PART_NONE},
    [PART_FRAMES] = {".eh_frame", SHT_PROGBITS, SHF_ALLOC, 0, PART_NONE},
    [PART_RODATA] = {".rodata", SHT_PROGBITS, SHF_ALLOC, 0, PART_NONE},
    [PART_TEXT] = {".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, PART_NONE},
    [PART_STUBS] = {".plt", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, ARCH_THIN_STUB_SIZE,
                    PART_NONE},
    [PART_DYNAMIC] = {".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, sizeof(Elf64_Dyn),
                      PART_DYNSTR},
    [PART_GOT] = {".got", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8, PART_NONE},
    [PART_DATA] = {".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, PART_NONE},
    [PART_BSS] = {".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0, PART_NONE},
    [PART_SYMTAB] = {".symtab", SHT_SYMTAB, 0, sizeof(Elf64_Sym), PART_STRTAB},
    [PART_STRTAB] = {".strtab", SHT_STRTAB, 0, 0, PART_NONE},
    [PART_NAMES] = {".shstrtab", SHT_STRTAB, 0, 0, PART_NONE},
};

/* ---- plan ---- */

static int add_debug_section(struct thin_link *link, uint32_t index)
{
    const struct rel_section *section = &link->object->sections[index];
    struct thin_place *place = &link->places[index];
    struct thin_debug *debug = link->debug;
    size_t i = 0;

    while (i < link->debug_count && strcmp(debug[i].name, section->name) != 0)
        i++;
    if (i == link->debug_count) {
        debug = realloc(link->debug, (i + 1) * sizeof(*debug));
        if (!debug)
            return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
        link->debug = debug;
        debug[i] = (struct thin_debug){.name = section->name, .align = 1};
        link->debug_count++;
    }
    place->output = (uint32_t)i;
    place->at = thin_round_up(debug[i].size, section->align);
    debug[i].size = place->at + section->size;
    if (section->align > debug[i].align)
        debug[i].align = section->align;
    return 0;
}

/* Return whether .symtab of the link has the symbol. */
static bool is_in_symtab(const struct thin_link *link, size_t i)
{
    const struct rel_symbol *s = &link->object->symbols[i];
    enum thin_part part = rel_symbol_placed(s) ? link->places[s->section].part : PART_NONE;

    return *s->name && part != PART_NONE && part != PART_FRAMES && s->type <= STT_FUNC &&
           !link->places[s->section].kept;
}

static void count_symbols(struct thin_link *link)
{
    link->symtab_count = 1;
    link->strtab_size = 1;
    for (size_t i = 1; i < link->object->symbol_count; i++)
        if (is_in_symtab(link, i)) {
            link->symtab_count++;
            link->strtab_size += strlen(link->object->symbols[i].name) + 1;
        }
}

static uint64_t names_size(const struct thin_link *link)
{
    uint64_t size = 1;

    for (size_t i = 1; i < PART_COUNT; i++)
        size += headers[i].name ? strlen(headers[i].name) + 1 : 0;
    for (size_t i = 0; i < link->debug_count; i++)
        size += strlen(link->debug[i].name) + 1;
    return size;
}

static uint64_t headers_at(const struct thin_link *link)
{
    return thin_round_up(link->parts[PART_NAMES].at + link->parts[PART_NAMES].size, 8);
}

static size_t header_count(const struct thin_link *link)
{
    return PART_COUNT - 1 + link->debug_count; /* PART_LOADED is PART_SYMTAB */
}

int thin_debug_plan(struct thin_link *link)
{
    uint64_t at = thin_round_up(link->file_loaded, 8);

    for (uint32_t i = 1; i < link->object->section_count; i++)
        if (link->places[i].debug && add_debug_section(link, i) != 0)
            return -1;
    count_symbols(link);
    link->parts[PART_SYMTAB] =
        (struct thin_range){at, link->symtab_count * sizeof(Elf64_Sym), sizeof(uint64_t)};
    at += link->parts[PART_SYMTAB].size;
    link->parts[PART_STRTAB] = (struct thin_range){at, link->strtab_size, 1};
    at += link->strtab_size;
    link->parts[PART_NAMES] = (struct thin_range){at, names_size(link), 1};
    at = headers_at(link) + (header_count(link) + 1) * sizeof(Elf64_Shdr);
    for (size_t i = 0; i < link->debug_count; i++) {
        link->debug[i].at = at = thin_round_up(at, link->debug[i].align);
        at += link->debug[i].size;
    }
    link->file_size = at;
    return 0;
}

size_t thin_debug_file_size(const struct thin_link *link)
{
    return link->file_size;
}

void thin_debug_end(struct thin_link *link)
{
    free(link->debug);
}

/* ---- debug sections ---- */

static bool is_absent(const struct thin_link *link, uint32_t symbol)
{
    const struct rel_symbol *s = &link->object->symbols[symbol];

    return thin_is_missing(link, symbol) &&
           !(rel_symbol_placed(s) && link->places[s->section].debug);
}

static void write_nothing(const struct rel_section *section, unsigned size, uint8_t *field)
{
    memset(field, 0, size);
    if (size > 0 &&
        (strcmp(section->name, ".debug_ranges") == 0 || strcmp(section->name, ".debug_loc") == 0))
        field[0] = 1;
}

static int write_field(const struct thin_link *link, uint32_t index, const struct rel_relocation *r,
                       uint64_t at)
{
    const struct rel_section *section = &link->object->sections[index];
    struct arch_thin kind = arch_thin(r->type);
    uint8_t *field = link->bytes + at + r->offset;

    if (kind.target == ARCH_THIN_NONE)
        return 0;
    if (kind.size > section->size || r->offset > section->size - kind.size ||
        (kind.target != ARCH_THIN_ADDRESS && kind.target != ARCH_THIN_TLS_BLOCK &&
         kind.target != ARCH_THIN_SIZE))
        return elf_fail(link->error, ELF_THIN_RELOCATION,
                        "relocation %u of %.100s+0x%llx is not known there", r->type, section->name,
                        (unsigned long long)r->offset);
    if (is_absent(link, r->symbol)) {
        write_nothing(section, kind.size, field);
        return 0;
    }
    return thin_relocate(link, index, r, at + r->offset, true, field);
}

static int write_debug_section(const struct thin_link *link, uint32_t index)
{
    const struct rel_section *section = &link->object->sections[index];
    uint64_t at = link->debug[link->places[index].output].at + link->places[index].at;

    memcpy(link->bytes + at, section->bytes, section->size);
    for (size_t i = 0; i < section->relocation_count; i++)
        if (write_field(link, index, &section->relocations[i], at) != 0)
            return -1;
    return 0;
}

/* ---- .symtab and section headers ---- */

static uint16_t header_of(enum thin_part part)
{
    return (uint16_t)part; /* every part has a header, in the order of the parts */
}

static void write_symtab(const struct thin_link *link)
{
    Elf64_Sym *symbol = (Elf64_Sym *)(void *)(link->bytes + link->parts[PART_SYMTAB].at);
    char *names = (char *)link->bytes + link->parts[PART_STRTAB].at;
    size_t at = 1;

    for (size_t i = 1; i < link->object->symbol_count; i++) {
        const struct rel_symbol *s = &link->object->symbols[i];
        const struct thin_place *place;

        if (!is_in_symtab(link, i))
            continue;
        place = &link->places[s->section];
        *++symbol = (Elf64_Sym){.st_name = (Elf64_Word)at,
                                .st_info = ELF64_ST_INFO(STB_LOCAL, s->type),
                                .st_shndx = header_of(place->part),
                                .st_value = link->base + place->at + s->value,
                                .st_size = s->size};
        memcpy(names + at, s->name, strlen(s->name) + 1);
        at += strlen(s->name) + 1;
    }
}

static uint32_t write_name(char *names, size_t *at, const char *name)
{
    size_t from = *at;

    memcpy(names + from, name, strlen(name) + 1);
    *at += strlen(name) + 1;
    return (uint32_t)from;
}

static void write_section_headers(const struct thin_link *link)
{
    Elf64_Shdr *header = (Elf64_Shdr *)(void *)(link->bytes + headers_at(link));
    char *names = (char *)link->bytes + link->parts[PART_NAMES].at;
    size_t at = 1;

    for (size_t i = 1; i < PART_COUNT; i++) {
        const struct thin_range *part = &link->parts[i];
        bool loaded = headers[i].flags & SHF_ALLOC;

        header[i] = (Elf64_Shdr){.sh_name = write_name(names, &at, headers[i].name),
                                 .sh_type = headers[i].type,
                                 .sh_flags = headers[i].flags,
                                 .sh_addr = loaded ? link->base + part->at : 0,
                                 .sh_offset = part->at,
                                 .sh_size = part->size,
                                 .sh_link = header_of(headers[i].link),
                                 .sh_addralign = part->align ? part->align : 1,
                                 .sh_entsize = headers[i].entry_size};
    }
    header[PART_BSS].sh_offset = link->file_loaded;
    header[PART_DYNSYM].sh_info = 1;
    header[PART_SYMTAB].sh_info = (Elf64_Word)link->symtab_count;
    header[PART_VERNEED].sh_info = (Elf64_Word)link->need_count;
    for (size_t i = 0; i < link->debug_count; i++)
        header[PART_COUNT + i] =
            (Elf64_Shdr){.sh_name = write_name(names, &at, link->debug[i].name),
                         .sh_type = SHT_PROGBITS,
                         .sh_offset = link->debug[i].at,
                         .sh_size = link->debug[i].size,
                         .sh_addralign = link->debug[i].align};
}

int thin_debug_write(const struct thin_link *link)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)link->bytes;

    for (uint32_t i = 1; i < link->object->section_count; i++)
        if (link->places[i].debug && write_debug_section(link, i) != 0)
            return -1;
    write_symtab(link);
    write_section_headers(link);
    header->e_shoff = headers_at(link);
    header->e_shnum = (Elf64_Half)(header_count(link) + 1);
    header->e_shstrndx = header_of(PART_NAMES);
    return 0;
}
