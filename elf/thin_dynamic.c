/*
 * thin_dynamic.c - see thin_dynamic.h. The formats: gABI, "Dynamic Linking"; LSB, "Symbol Versioning".
 *
 * ld.so ends the program (an assertion) where a version is needed of an object that it cannot find by the name given.
 * So every such object is in DT_NEEDED too: ld.so has then looked it up by that name before it reads the versions.
 */
#include "elf/thin_dynamic.h"

#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"

/* ---- strings ---- */

/* Add a string to .dynstr. Return its offset; 0 if there is no memory. */
static uint32_t add_string(struct thin_link *link, const char *text)
{
    size_t length = strlen(text) + 1;
    char *longer = realloc(link->dynstr, link->dynstr_size + length);
    size_t at = link->dynstr_size;

    if (!longer)
        return 0;
    memcpy(longer + at, text, length);
    link->dynstr = longer;
    link->dynstr_size += length;
    return (uint32_t)at;
}

static int no_memory_for(const struct thin_link *link)
{
    return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
}

/* ---- needed objects and their versions ---- */

static struct thin_need *need_named(struct thin_link *link, const char *file)
{
    struct thin_need *need;

    for (need = link->needs; need; need = need->next)
        if (strcmp(link->dynstr + need->name, file) == 0)
            return need;
    need = calloc(1, sizeof(*need));
    if (!need)
        return NULL;
    need->name = add_string(link, file);
    *link->needs_end = need;
    link->needs_end = &need->next;
    return need->name ? need : NULL;
}

/* Return the number of a version of an object, in .gnu.version; 0 if there is no memory. */
static uint16_t version_number(struct thin_link *link, const struct thin_definition *definition)
{
    struct thin_need *need = need_named(link, definition->file);
    struct thin_need_version *version;

    if (!need)
        return 0;
    for (version = need->versions; version; version = version->next)
        if (strcmp(link->dynstr + version->name, definition->version) == 0)
            return (uint16_t)version->number;
    version = calloc(1, sizeof(*version));
    if (!version)
        return 0;
    version->next = need->versions;
    need->versions = version;
    if (need->version_count++ == 0)
        link->need_count++;
    version->name = add_string(link, definition->version);
    version->number = 2 + link->version_count++; /* 0: local, 1: without a version */
    return version->name ? (uint16_t)version->number : 0;
}

int thin_dynamic_symbol(struct thin_link *link, uint32_t symbol)
{
    const char *name = link->object->symbols[symbol].name;
    bool weak = link->object->symbols[symbol].binding == STB_WEAK, found;
    struct thin_dynsym *dynsyms, row = {.symbol = symbol, .version = 1, .weak = weak};
    struct thin_definition definition = {0};

    if (link->words[symbol].dynsym)
        return 0;
    found = link->host.definition &&
            link->host.definition(link->host.context, name, link->thin->symbols[symbol].version,
                                  &definition);
    if (!found && !weak)
        return elf_fail(
            link->error, ELF_THIN_UNDEFINED, "nothing in the process defines %.120s%s%.80s", name,
            link->thin->symbols[symbol].version ? " in version " : "",
            link->thin->symbols[symbol].version ? link->thin->symbols[symbol].version : "");
    if (found && definition.file && definition.version &&
        !(row.version = version_number(link, &definition)))
        return no_memory_for(link);
    if (found && definition.file && !need_named(link, definition.file))
        return no_memory_for(link);
    row.name = add_string(link, name);
    dynsyms = realloc(link->dynsyms, (link->dynsym_count + 1) * sizeof(*dynsyms));
    if (dynsyms)
        link->dynsyms = dynsyms;
    if (!row.name || !dynsyms)
        return no_memory_for(link);
    dynsyms[link->dynsym_count] = row;
    link->words[symbol].dynsym = (uint32_t)link->dynsym_count++;
    return 0;
}

int thin_dynamic_begin(struct thin_link *link)
{
    link->needs_end = &link->needs;
    link->dynstr = calloc(1, 1);
    link->dynstr_size = 1;
    link->dynsyms = calloc(1, sizeof(*link->dynsyms));
    link->dynsym_count = 1;
    if (!link->dynstr || !link->dynsyms ||
        (link->host.needed && !need_named(link, link->host.needed)))
        return no_memory_for(link);
    return 0;
}

void thin_dynamic_end(struct thin_link *link)
{
    while (link->needs) {
        struct thin_need *need = link->needs;

        link->needs = need->next;
        while (need->versions) {
            struct thin_need_version *version = need->versions;

            need->versions = version->next;
            free(version);
        }
        free(need);
    }
    free(link->dynstr);
    free(link->dynsyms);
    free(link->rela);
}

/* ---- sizes ---- */

static size_t count_needs(const struct thin_link *link)
{
    size_t count = 0;

    for (const struct thin_need *need = link->needs; need; need = need->next)
        count++;
    return count;
}

enum { DYNAMIC_TAGS = 16 }; /* at most, besides DT_NEEDED */

void thin_dynamic_sizes(struct thin_link *link)
{
    struct thin_range *parts = link->parts;

    parts[PART_HASH] = (struct thin_range){.size = (3 + link->dynsym_count) * 4, .align = 8};
    parts[PART_DYNSYM] =
        (struct thin_range){.size = link->dynsym_count * sizeof(Elf64_Sym), .align = 8};
    parts[PART_DYNSTR] = (struct thin_range){.size = link->dynstr_size, .align = 1};
    parts[PART_VERSYM] = (struct thin_range){.size = link->dynsym_count * 2, .align = 2};
    parts[PART_VERNEED] = (struct thin_range){.size = link->need_count * sizeof(Elf64_Verneed) +
                                                      link->version_count * sizeof(Elf64_Vernaux),
                                              .align = 8};
    parts[PART_RELA] =
        (struct thin_range){.size = link->rela_count * sizeof(Elf64_Rela), .align = 8};
    parts[PART_DYNAMIC] = (struct thin_range){
        .size = (DYNAMIC_TAGS + count_needs(link)) * sizeof(Elf64_Dyn), .align = 8};
    parts[PART_GOT] = (struct thin_range){.size = (link->got_count + 1) * UINT64_C(8), .align = 8};
}

/* ---- writing ---- */

static void *part_bytes(const struct thin_link *link, enum thin_part part)
{
    return link->bytes + link->parts[part].at;
}

/* One bucket whose chain is empty: the object defines no symbol for others. */
static void write_hash(const struct thin_link *link)
{
    uint32_t *hash = part_bytes(link, PART_HASH);

    hash[0] = 1;
    hash[1] = (uint32_t)link->dynsym_count;
}

static void write_symbols(const struct thin_link *link)
{
    Elf64_Sym *symbols = part_bytes(link, PART_DYNSYM);
    uint16_t *versions = part_bytes(link, PART_VERSYM);

    for (size_t i = 1; i < link->dynsym_count; i++) {
        const struct thin_dynsym *row = &link->dynsyms[i];
        uint8_t type = link->object->symbols[row->symbol].type;

        symbols[i].st_name = row->name;
        symbols[i].st_info =
            ELF64_ST_INFO(row->weak ? STB_WEAK : STB_GLOBAL, type == STT_TLS ? type : STT_NOTYPE);
        versions[i] = row->version;
    }
}

static uint32_t elf_hash(const char *name)
{
    uint32_t hash = 0;

    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        uint32_t high;

        hash = (hash << 4) + *p;
        high = hash & 0xf0000000;
        hash ^= high >> 24;
        hash &= ~high;
    }
    return hash;
}

static void write_versions(const struct thin_link *link)
{
    uint8_t *at = part_bytes(link, PART_VERNEED);
    size_t left = link->need_count;

    for (const struct thin_need *need = link->needs; need; need = need->next) {
        Elf64_Verneed *head = (Elf64_Verneed *)(void *)at;
        Elf64_Vernaux *aux = (Elf64_Vernaux *)(void *)(at + sizeof(*head));

        if (need->version_count == 0)
            continue;
        *head = (Elf64_Verneed){
            .vn_version = 1,
            .vn_cnt = (Elf64_Half)need->version_count,
            .vn_file = need->name,
            .vn_aux = sizeof(*head),
            .vn_next =
                --left ? (Elf64_Word)(sizeof(*head) + need->version_count * sizeof(*aux)) : 0};
        for (const struct thin_need_version *v = need->versions; v; v = v->next, aux++)
            *aux = (Elf64_Vernaux){.vna_hash = elf_hash(link->dynstr + v->name),
                                   .vna_other = (Elf64_Half)v->number,
                                   .vna_name = v->name,
                                   .vna_next = v->next ? sizeof(*aux) : 0};
        at = (uint8_t *)(void *)aux;
    }
}

static uint64_t rela_place(const struct thin_link *link, const struct thin_rela *rela)
{
    uint64_t from = rela->section ? link->places[rela->section].at : link->parts[PART_GOT].at;

    return link->base + from + rela->offset;
}

static void write_rela(const struct thin_link *link)
{
    Elf64_Rela *out = part_bytes(link, PART_RELA);

    for (size_t i = 0; i < link->rela_count; i++) {
        const struct thin_rela *rela = &link->rela[i];

        out[i] = (Elf64_Rela){rela_place(link, rela),
                              ELF64_R_INFO((uint64_t)link->words[rela->symbol].dynsym, rela->type),
                              rela->addend};
    }
}

static uint64_t part_address(const struct thin_link *link, enum thin_part part)
{
    return link->base + link->parts[part].at;
}

static void write_dynamic_tags(const struct thin_link *link)
{
    Elf64_Dyn *d = part_bytes(link, PART_DYNAMIC);

#define TAG(tag, value) \
    *d++ = (Elf64_Dyn)  \
    {                   \
        (tag),          \
        {               \
            (value)     \
        }               \
    }
    for (const struct thin_need *need = link->needs; need; need = need->next)
        TAG(DT_NEEDED, need->name);
    TAG(DT_HASH, part_address(link, PART_HASH));
    TAG(DT_STRTAB, part_address(link, PART_DYNSTR));
    TAG(DT_SYMTAB, part_address(link, PART_DYNSYM));
    TAG(DT_STRSZ, link->dynstr_size);
    TAG(DT_SYMENT, sizeof(Elf64_Sym));
    if (link->rela_count) {
        TAG(DT_RELA, part_address(link, PART_RELA));
        TAG(DT_RELASZ, link->rela_count * sizeof(Elf64_Rela));
        TAG(DT_RELAENT, sizeof(Elf64_Rela));
    }
    if (link->need_count) {
        TAG(DT_VERSYM, part_address(link, PART_VERSYM));
        TAG(DT_VERNEED, part_address(link, PART_VERNEED));
        TAG(DT_VERNEEDNUM, link->need_count);
    }
    TAG(DT_FLAGS, DF_BIND_NOW | (link->static_tls ? DF_STATIC_TLS : 0));
    TAG(DT_FLAGS_1, DF_1_NOW);
#undef TAG
}

void thin_dynamic_write(const struct thin_link *link)
{
    write_hash(link);
    memcpy(part_bytes(link, PART_DYNSTR), link->dynstr, link->dynstr_size);
    write_symbols(link);
    write_versions(link);
    write_rela(link);
    write_dynamic_tags(link);
}
