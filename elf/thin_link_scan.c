/* thin_link_scan.c - see thin_link_parts.h. */
#include "elf/thin_link_scan.h"

#include <stdlib.h>
#include <string.h>

#include "arch/thin.h"
#include "elf/thin_dynamic.h"

enum { SHT_UNWIND = 0x70000001, SIZE_MAX_LOADED = 1 << 30 };

static int fails(const struct thin_link *link, enum elf_error_code code, uint32_t section,
                 const struct rel_relocation *r, const char *what)
{
    return elf_fail(link->error, code, "relocation %u of %s+0x%llx: %.120s %s", r->type,
                    link->object->sections[section].name, (unsigned long long)r->offset,
                    thin_name_of(link, r->symbol), what);
}

/* ---- the parts ---- */

static bool name_begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool has_dynamic(const struct thin_link *link, const struct rel_section *section)
{
    for (size_t i = 0; i < section->relocation_count; i++)
        if (thin_is_dynamic(link, &section->relocations[i]))
            return true;
    return false;
}

static enum thin_part part_of_writable(const struct thin_link *link,
                                       const struct rel_section *section)
{
    if (section->type == SHT_NOBITS)
        return PART_BSS;
    if (name_begins(section->name, ".data.rel.ro") && !has_dynamic(link, section))
        return PART_RODATA;
    return PART_DATA;
}

static int section_fails(const struct thin_link *link, const struct rel_section *section,
                         const char *what)
{
    return elf_fail(link->error, ELF_THIN_DAMAGED, "section %.100s %s", section->name, what);
}

/* Decide where a section of the process goes. Notes, and tables of constructors, are not placed. */
static int place_allocated(const struct thin_link *link, const struct rel_section *section,
                           struct thin_place *place)
{
    bool writable = section->flags & SHF_WRITE, code = section->flags & SHF_EXECINSTR;

    if (section->type != SHT_PROGBITS && section->type != SHT_NOBITS && section->type != SHT_UNWIND)
        return 0;
    if (section->align > THIN_PAGE)
        return section_fails(link, section, "is aligned to more than a page");
    if (section->size >= SIZE_MAX_LOADED)
        return section_fails(link, section, "is too large");
    if (section->flags & SHF_TLS)
        return section_fails(link, section, "adds thread-local variables");
    if (writable && code)
        return section_fails(link, section, "is writable and executable");
    if (section->type == SHT_NOBITS && (!writable || section->relocation_count > 0))
        return section_fails(link, section, "has no bytes, and is read-only or relocated");
    if (strcmp(section->name, ".eh_frame") == 0)
        place->part = PART_FRAMES;
    else if (code)
        place->part = PART_TEXT;
    else
        place->part = writable ? part_of_writable(link, section) : PART_RODATA;
    return 0;
}

static int place_section(struct thin_link *link, size_t i)
{
    const struct rel_section *section = &link->object->sections[i];
    struct thin_place *place = &link->places[i];

    if (section->flags & SHF_ALLOC)
        return place->kept ? 0 : place_allocated(link, section, place);
    place->debug = name_begins(section->name, ".debug_") && section->type == SHT_PROGBITS &&
                   section->bytes && !(section->flags & SHF_COMPRESSED) &&
                   section->align <= THIN_PAGE;
    return 0;
}

static void grow_hull(struct thin_link *link, uint64_t begin, uint64_t end)
{
    if (begin < link->hull_begin)
        link->hull_begin = begin;
    if (end > link->hull_end)
        link->hull_end = end;
}

/* Bind the variables that the process has already. */
static void find_kept(struct thin_link *link)
{
    for (size_t i = 1; i < link->object->symbol_count; i++) {
        const struct rel_symbol *symbol = &link->object->symbols[i];
        const char *key = link->thin->symbols[i].keep;
        struct thin_place *place = key ? &link->places[symbol->section] : NULL;
        uint64_t at;

        if (!place || !link->host.kept || !link->host.kept(link->host.context, key, &at))
            continue;
        place->kept = true;
        place->at = at;
        grow_hull(link, at, at + link->object->sections[symbol->section].size);
    }
}

/* ---- words and stubs ---- */

static uint32_t take_words(struct thin_link *link, uint32_t count)
{
    uint32_t index = link->got_count;

    link->got_count += count;
    return index + 1;
}

static int add_rela(struct thin_link *link, const struct thin_rela *rela)
{
    if (link->rela_count == link->rela_room) {
        size_t room = link->rela_room ? 2 * link->rela_room : 16;
        struct thin_rela *longer = realloc(link->rela, room * sizeof(*longer));

        if (!longer)
            return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
        link->rela = longer;
        link->rela_room = room;
    }
    link->rela[link->rela_count++] = *rela;
    return thin_dynamic_symbol(link, rela->symbol);
}

/* Add a relocation of the GOT's word `index` - 1. */
static int add_word_rela(struct thin_link *link, uint32_t index, enum arch_thin_number number,
                         uint32_t symbol)
{
    const struct thin_rela rela = {
        .offset = (uint64_t)(index - 1) * 8, .type = arch_thin_number(number), .symbol = symbol};

    return add_rela(link, &rela);
}

static int need_got(struct thin_link *link, uint32_t symbol)
{
    if (link->words[symbol].got || link->thin->symbols[symbol].import == THIN_GOT)
        return 0;
    link->words[symbol].got = take_words(link, 1);
    if (link->thin->symbols[symbol].import != THIN_DYNAMIC)
        return 0;
    return add_word_rela(link, link->words[symbol].got, ARCH_THIN_DYNAMIC_GOT, symbol);
}

int thin_need_stub(struct thin_link *link, uint32_t symbol)
{
    uint32_t *stubs;

    if (link->words[symbol].stub)
        return 0;
    stubs = realloc(link->stubs, (link->stub_count + 1) * sizeof(*stubs));
    if (!stubs)
        return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
    link->stubs = stubs;
    stubs[link->stub_count++] = symbol;
    link->words[symbol].stub = (uint32_t)link->stub_count;
    return need_got(link, symbol);
}

static int need_tls_got(struct thin_link *link, uint32_t symbol)
{
    enum thin_import import = link->thin->symbols[symbol].import;

    if (link->words[symbol].tls_got || import == THIN_GOT)
        return 0;
    link->words[symbol].tls_got = take_words(link, 1);
    if (import != THIN_DYNAMIC)
        return 0;
    link->static_tls = true;
    return add_word_rela(link, link->words[symbol].tls_got, ARCH_THIN_DYNAMIC_TLS_OFFSET, symbol);
}

static int need_tls_pair(struct thin_link *link, uint32_t symbol)
{
    uint32_t pair;

    if (link->words[symbol].tls_pair)
        return 0;
    pair = link->words[symbol].tls_pair = take_words(link, 2);
    if (link->thin->symbols[symbol].import != THIN_DYNAMIC)
        return 0;
    return add_word_rela(link, pair, ARCH_THIN_DYNAMIC_TLS_MODULE, symbol) != 0
               ? -1
               : add_word_rela(link, pair + 1, ARCH_THIN_DYNAMIC_TLS_BLOCK, symbol);
}

/* ---- relocations ---- */

bool thin_is_dynamic(const struct thin_link *link, const struct rel_relocation *r)
{
    enum thin_import import = link->thin->symbols[r->symbol].import;
    struct arch_thin kind = arch_thin(r->type);

    return kind.target == ARCH_THIN_ADDRESS && kind.size == 8 && !kind.relative &&
           (import == THIN_DYNAMIC || import == THIN_GOT);
}

bool thin_is_branch(const struct thin_link *link, uint32_t section, const struct rel_relocation *r)
{
    const struct rel_section *in = &link->object->sections[section];
    enum arch_thin_target target = arch_thin(r->type).target;

    return target == ARCH_THIN_BRANCH ||
           (target == ARCH_THIN_ADDRESS && (in->flags & SHF_EXECINSTR) &&
            arch_thin_is_branch(r->type, in->bytes, r->offset));
}

static bool is_placed_symbol(const struct thin_link *link, uint32_t symbol)
{
    return rel_symbol_placed(&link->object->symbols[symbol]);
}

bool thin_is_missing(const struct thin_link *link, uint32_t symbol)
{
    const struct rel_symbol *s = &link->object->symbols[symbol];
    const struct thin_place *place;

    if (symbol == 0 || s->section == REL_ABSOLUTE)
        return false;
    if (!rel_symbol_placed(s))
        return s->section == REL_COMMON || link->thin->symbols[symbol].import == THIN_NONE;
    place = &link->places[s->section];
    return place->part == PART_NONE && !place->kept;
}

static int add_called(struct thin_link *link, uint64_t to)
{
    uint64_t *branches;

    if ((link->branch_count & (link->branch_count - 1)) == 0) { /* a power of two: full */
        branches = realloc(link->branches,
                           (link->branch_count ? 2 * link->branch_count : 1) * sizeof(*branches));
        if (!branches)
            return elf_fail(link->error, ELF_NO_MEMORY, "no memory");
        link->branches = branches;
    }
    link->branches[link->branch_count++] = to;
    return 0;
}

static int scan_address(struct thin_link *link, uint32_t section, const struct rel_relocation *r,
                        struct arch_thin kind, bool branch)
{
    const struct thin_symbol *s = &link->thin->symbols[r->symbol];
    const struct thin_rela rela = {section, r->offset, r->type, r->symbol, r->addend};

    switch (s->import) {
    case THIN_TLS:
        return fails(link, ELF_THIN_RELOCATION, section, r, "is a thread-local variable");
    case THIN_ADDRESS:
        /* A function that the unit only declares (its symbol has no type): its compiler knew nothing of its code. */
        return branch && link->object->symbols[r->symbol].type != STT_NOTYPE
                   ? add_called(link, s->at + (uint64_t)r->addend + kind.size)
                   : 0;
    case THIN_GOT:
    case THIN_DYNAMIC:
        if (branch)
            return s->has_call ? 0 : thin_need_stub(link, r->symbol);
        if (!thin_is_dynamic(link, r))
            return fails(link, ELF_THIN_RELOCATION, section, r,
                         "lies in another object: its address is not within reach");
        if (link->places[section].part != PART_DATA)
            return fails(link, ELF_THIN_RELOCATION, section, r,
                         "is known to the dynamic linker alone, which cannot write here");
        return add_rela(link, &rela);
    case THIN_NONE:
        link->low |= is_placed_symbol(link, r->symbol) && kind.size == 4 && !kind.relative;
        return 0;
    }
    return 0;
}

static int scan_tls(struct thin_link *link, uint32_t section, const struct rel_relocation *r,
                    enum arch_thin_target target)
{
    enum thin_import import = link->thin->symbols[r->symbol].import;
    bool dynamic = import == THIN_DYNAMIC, word = import == THIN_GOT;

    if (target == ARCH_THIN_TLS_MODULE) {
        if (!link->tls_module)
            link->tls_module = take_words(link, 2);
        return link->host.tls_module
                   ? 0
                   : fails(link, ELF_THIN_RELOCATION, section, r,
                           "is thread-local, and the target has no thread-locals");
    }
    if (import != THIN_TLS &&
        !(dynamic && (target == ARCH_THIN_TLS_GOT || target == ARCH_THIN_TLS_PAIR)) &&
        !(word && target == ARCH_THIN_TLS_GOT))
        return fails(link, ELF_THIN_RELOCATION, section, r, "is no thread-local of the target");
    if (import == THIN_TLS && !link->host.tls_module)
        return fails(link, ELF_THIN_RELOCATION, section, r,
                     "is thread-local, and the target has no thread-locals");
    if (import == THIN_TLS && !link->host.tls_is_static &&
        (target == ARCH_THIN_TLS_GOT || target == ARCH_THIN_TLS_OFFSET))
        return fails(link, ELF_THIN_RELOCATION, section, r,
                     "has no fixed offset from the thread pointer in this process");
    if (target == ARCH_THIN_TLS_GOT)
        return need_tls_got(link, r->symbol);
    return target == ARCH_THIN_TLS_PAIR ? need_tls_pair(link, r->symbol) : 0;
}

static int scan_relocation(struct thin_link *link, uint32_t section, const struct rel_relocation *r)
{
    const struct rel_section *in = &link->object->sections[section];
    struct arch_thin kind = arch_thin(r->type);

    if (kind.target == ARCH_THIN_NONE)
        return 0;
    if (!in->bytes || kind.size > in->size || r->offset > in->size - kind.size)
        return fails(link, ELF_THIN_DAMAGED, section, r, "is used outside of the section");
    if (kind.target != ARCH_THIN_GOT_BASE && kind.target != ARCH_THIN_TLS_MODULE &&
        thin_is_missing(link, r->symbol))
        return fails(link, ELF_THIN_UNDEFINED, section, r, "is not in the target and not placed");
    switch (kind.target) {
    case ARCH_THIN_ADDRESS:
    case ARCH_THIN_BRANCH:
        return scan_address(link, section, r, kind, thin_is_branch(link, section, r));
    case ARCH_THIN_GOT_RELATIVE:
        return scan_address(link, section, r, kind, false);
    case ARCH_THIN_GOT:
    case ARCH_THIN_GOT_OFFSET:
        return link->thin->symbols[r->symbol].import == THIN_TLS
                   ? fails(link, ELF_THIN_RELOCATION, section, r, "is a thread-local variable")
                   : need_got(link, r->symbol);
    case ARCH_THIN_TLS_OFFSET:
    case ARCH_THIN_TLS_GOT:
    case ARCH_THIN_TLS_PAIR:
    case ARCH_THIN_TLS_MODULE:
    case ARCH_THIN_TLS_BLOCK:
        return scan_tls(link, section, r, kind.target);
    case ARCH_THIN_NONE:
    case ARCH_THIN_GOT_BASE:
    case ARCH_THIN_SIZE:
        return 0;
    default:
        return fails(link, ELF_THIN_RELOCATION, section, r, "is used in a way that is not known");
    }
}

static int scan_section(struct thin_link *link, uint32_t i)
{
    const struct rel_section *section = &link->object->sections[i];

    for (size_t k = 0; k < section->relocation_count; k++)
        if (scan_relocation(link, i, &section->relocations[k]) != 0)
            return -1;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static void sort_branches(struct thin_link *link)
{
    size_t kept = 0;

    if (link->branch_count == 0)
        return;
    qsort(link->branches, link->branch_count, sizeof(*link->branches), by_value);
    for (size_t i = 0; i < link->branch_count; i++)
        if (i == 0 || link->branches[i] != link->branches[kept - 1])
            link->branches[kept++] = link->branches[i];
    link->branch_count = kept;
}

uint32_t thin_hosted_at(const struct thin_link *link, uint32_t section, uint64_t offset)
{
    struct rel_symbols symbols = rel_section_symbols(link->object, section);

    for (size_t i = 0; i < symbols.count; i++)
        if (link->thin->symbols[symbols.indexes[i]].has_host &&
            link->object->symbols[symbols.indexes[i]].value == offset)
            return symbols.indexes[i];
    return 0;
}

int thin_scan(struct thin_link *link)
{
    find_kept(link);
    for (size_t i = 1; i < link->object->section_count; i++)
        if (place_section(link, i) != 0)
            return -1;
    for (uint32_t i = 1; i < link->object->section_count; i++)
        if (link->places[i].part != PART_NONE && link->places[i].part != PART_FRAMES &&
            scan_section(link, i) != 0)
            return -1;
    sort_branches(link);
    return 0;
}
