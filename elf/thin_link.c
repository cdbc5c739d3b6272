/* thin_link.c - see thin_link.h. */
#include "elf/thin_link.h"

#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"
#include "base/machine.h"
#include "elf/thin_debug.h"
#include "elf/thin_dynamic.h"
#include "elf/thin_frames.h"
#include "elf/thin_link_scan.h"
#include "elf/thin_relocate.h"

/* A field of 32 bits reaches so far from its place; less a margin for addends. */
#define REACH ((UINT64_C(1) << 31) - (1 << 20))
#define SIZE_LIMIT (UINT64_C(1) << 30)
#define FILE_LIMIT (UINT64_C(1) << 30)

/* ---- layout ---- */

static void link_place_sections(struct thin_link *link)
{
    for (size_t i = 1; i < link->object->section_count; i++) {
        const struct rel_section *section = &link->object->sections[i];
        struct thin_place *place = &link->places[i];
        struct thin_range *part = &link->parts[place->part];

        if (place->part == PART_NONE || place->part == PART_FRAMES || place->kept)
            continue;
        place->at = thin_round_up(part->size, section->align);
        part->size = place->at + section->size;
        if (section->align > part->align)
            part->align = section->align;
    }
}

static uint64_t place_parts(struct thin_link *link, enum thin_part first, enum thin_part last,
                            uint64_t at)
{
    for (enum thin_part i = first; i <= last; i++) {
        struct thin_range *part = &link->parts[i];

        part->at = at = thin_round_up(at, part->align ? part->align : 1);
        at += part->size;
    }
    return at;
}

static void settle_sections(struct thin_link *link)
{
    for (size_t i = 1; i < link->object->section_count; i++) {
        struct thin_place *place = &link->places[i];

        if (place->part != PART_NONE && place->part != PART_FRAMES && !place->kept)
            place->at += link->parts[place->part].at;
    }
}

static int link_lay_out(struct thin_link *link)
{
    uint64_t at = sizeof(Elf64_Ehdr) + THIN_PHDRS * sizeof(Elf64_Phdr);

    link_place_sections(link);
    thin_dynamic_sizes(link);
    link->parts[PART_STUBS] =
        (struct thin_range){.size = link->stub_count * ARCH_THIN_STUB_SIZE, .align = 16};
    at = place_parts(link, PART_HASH, PART_RODATA, at);
    link->read_end = at;
    at = place_parts(link, PART_TEXT, PART_STUBS, thin_round_up(at, THIN_PAGE));
    link->code_end = at;
    at = place_parts(link, PART_DYNAMIC, PART_DATA, thin_round_up(at, THIN_PAGE));
    link->file_loaded = at;
    at = place_parts(link, PART_BSS, PART_BSS, at);
    link->data_end = at;
    link->memory_size = thin_round_up(at, THIN_PAGE);
    settle_sections(link);
    if (link->memory_size >= SIZE_LIMIT)
        return elf_fail(link->error, ELF_THIN_DAMAGED, "it takes more than 1 GiB of memory");
    if (link->parts[PART_TEXT].size == 0)
        return elf_fail(link->error, ELF_THIN_DAMAGED, "it places no code");
    if (thin_debug_plan(link) != 0)
        return -1;
    return link->file_size < FILE_LIMIT
               ? 0
               : elf_fail(link->error, ELF_THIN_DAMAGED, "it is larger than 1 GiB");
}

static int plan_link(struct thin_link *link)
{
    if (thin_dynamic_begin(link) != 0 || thin_scan(link) != 0 || thin_frames_plan(link) != 0)
        return -1;
    return link_lay_out(link);
}

static int check_replacements(const struct thin_link *link)
{
    for (size_t i = 0; i < link->thin->replacement_count; i++) {
        const struct thin_replacement *r = &link->thin->replacements[i];

        if (link->places[link->object->symbols[r->symbol].section].part != PART_TEXT)
            return elf_fail(link->error, ELF_THIN_DAMAGED, "%.120s is not placed", r->name);
    }
    return 0;
}

int thin_link_begin(struct thin_link **out, const struct thin_file *thin,
                    const struct thin_host *host, struct elf_error *error)
{
    struct thin_link *link = calloc(1, sizeof(*link));

    *out = NULL;
    if (!link)
        return elf_fail(error, ELF_NO_MEMORY, "no memory");
    link->thin = thin;
    link->object = thin->object;
    link->host = *host;
    link->error = error;
    link->hull_begin = host->begin;
    link->hull_end = host->end;
    link->places = calloc(thin->object->section_count + 1, sizeof(*link->places));
    link->words = calloc(thin->object->symbol_count + 1, sizeof(*link->words));
    if (!link->places || !link->words) {
        elf_error_set(error, ELF_NO_MEMORY, "no memory");
    } else if (plan_link(link) == 0 && check_replacements(link) == 0) {
        *out = link;
        return 0;
    }
    thin_link_end(link);
    return -1;
}

void thin_link_end(struct thin_link *link)
{
    if (!link)
        return;
    thin_dynamic_end(link);
    thin_debug_end(link);
    free(link->places);
    free(link->words);
    free(link->stubs);
    free(link->records);
    free(link->branches);
    free(link);
}

/* ---- the shared object ---- */

static void link_add_segment(Elf64_Phdr *header, const struct thin_link *link, uint32_t type,
                             uint32_t flags, uint64_t at, uint64_t file_end, uint64_t memory_end)
{
    *header = (Elf64_Phdr){.p_type = type,
                           .p_flags = flags,
                           .p_offset = at,
                           .p_vaddr = link->base + at,
                           .p_paddr = link->base + at,
                           .p_filesz = file_end - at,
                           .p_memsz = memory_end - at,
                           .p_align = type == PT_LOAD ? THIN_PAGE : 8};
}

static void link_write_header(const struct thin_link *link)
{
    const struct thin_range *parts = link->parts;
    Elf64_Phdr *segment = (Elf64_Phdr *)(void *)(link->bytes + sizeof(Elf64_Ehdr));
    uint64_t code = parts[PART_TEXT].at & ~(uint64_t)(THIN_PAGE - 1);
    const struct thin_range *dynamic = &parts[PART_DYNAMIC], *table = &parts[PART_FRAME_TABLE];

    *(Elf64_Ehdr *)(void *)link->bytes = (Elf64_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = machine_elf,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = THIN_PHDRS,
        .e_shentsize = sizeof(Elf64_Shdr)};
    link_add_segment(segment++, link, PT_LOAD, PF_R, 0, link->read_end, link->read_end);
    link_add_segment(segment++, link, PT_LOAD, PF_R | PF_X, code, link->code_end, link->code_end);
    link_add_segment(segment++, link, PT_LOAD, PF_R | PF_W,
                     dynamic->at & ~(uint64_t)(THIN_PAGE - 1), link->file_loaded, link->data_end);
    link_add_segment(segment++, link, PT_DYNAMIC, PF_R | PF_W, dynamic->at,
                     dynamic->at + dynamic->size, dynamic->at + dynamic->size);
    link_add_segment(segment++, link, PT_GNU_EH_FRAME, PF_R, table->at, table->at + table->size,
                     table->at + table->size);
    *segment = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
}

int thin_link_at(struct thin_link *link, uint64_t base, void **bytes, size_t *size,
                 struct elf_error *error)
{
    *bytes = NULL;
    *size = 0;
    link->error = error;
    link->base = base;
    link->bytes = calloc(1, link->file_size);
    if (!link->bytes)
        return elf_fail(error, ELF_NO_MEMORY, "no memory");
    link_write_header(link);
    thin_dynamic_write(link);
    if (thin_relocate_all(link) != 0 || thin_frames_write(link) != 0 ||
        thin_debug_write(link) != 0) {
        free(link->bytes);
        link->bytes = NULL;
        return -1;
    }
    *bytes = link->bytes;
    *size = link->file_size;
    link->bytes = NULL;
    return 0;
}

/* ---- questions ---- */

struct thin_extent thin_link_extent(const struct thin_link *link)
{
    struct thin_extent extent = {.size = link->memory_size};
    uint64_t highest = link->low ? (UINT64_C(1) << 31) - link->memory_size : UINT64_MAX;

    extent.low = link->hull_end > REACH ? link->hull_end - REACH : THIN_PAGE;
    extent.high = link->hull_begin + REACH - link->memory_size;
    if (extent.high > highest)
        extent.high = highest;
    return extent;
}

uint64_t thin_link_function(const struct thin_link *link, size_t replacement)
{
    const struct rel_symbol *symbol =
        &link->object->symbols[link->thin->replacements[replacement].symbol];

    return link->places[symbol->section].at + symbol->value;
}

const char *thin_link_kept(const struct thin_link *link, size_t i, uint64_t *at)
{
    for (size_t s = 1; s < link->object->symbol_count; s++) {
        const struct thin_place *place;

        if (!link->thin->symbols[s].keep)
            continue;
        place = &link->places[link->object->symbols[s].section];
        if (place->kept || i-- > 0)
            continue;
        *at = place->at;
        return link->thin->symbols[s].keep;
    }
    return NULL;
}

const uint64_t *thin_link_branches(const struct thin_link *link, size_t *count)
{
    *count = link->branch_count;
    return link->branches;
}

static struct thin_span part_span(const struct thin_link *link, enum thin_part part)
{
    return (struct thin_span){link->parts[part].at, link->parts[part].size};
}

struct thin_span thin_link_text(const struct thin_link *link)
{
    return part_span(link, PART_TEXT);
}

struct thin_span thin_link_constants(const struct thin_link *link)
{
    return part_span(link, PART_RODATA);
}

static int by_start(const void *a, const void *b)
{
    const struct thin_span *left = a, *right = b;

    return left->at < right->at ? -1 : left->at > right->at;
}

size_t thin_link_functions(const struct thin_link *link, struct thin_span *out, size_t room)
{
    size_t count = 0, kept = 0;

    for (size_t i = 1; i < link->object->symbol_count; i++) {
        const struct rel_symbol *s = &link->object->symbols[i];

        if (s->type != STT_FUNC || !rel_symbol_placed(s) ||
            link->places[s->section].part != PART_TEXT)
            continue;
        if (count < room)
            out[count] = (struct thin_span){link->places[s->section].at + s->value, s->size};
        count++;
    }
    if (count > room)
        return count;
    qsort(out, count, sizeof(*out), by_start);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || out[i].at != out[kept - 1].at)
            out[kept++] = out[i];
    return kept;
}

size_t thin_link_whole(const struct thin_link *link)
{
    return link->debug_count ? link->debug[0].at : link->file_size;
}
