/* thin_relocate.c - see thin_relocate.h. */
#include "elf/thin_relocate.h"

#include <string.h>

#include "arch/thin.h"
#include "elf/thin_link_scan.h"

/* A reference, while its value is sought. */
struct thin_reference {
    uint32_t section;
    const struct rel_relocation *r;
    struct arch_thin kind;
    bool branch;
    bool own; /* of debug information and unwinding tables: the placed copy is meant */
};

/* ---- values ---- */

static uint64_t got_word(const struct thin_link *link, uint32_t index)
{
    return link->base + link->parts[PART_GOT].at + UINT64_C(8) * (index - 1);
}

static uint64_t own_stub(const struct thin_link *link, uint32_t symbol)
{
    return link->base + link->parts[PART_STUBS].at +
           (uint64_t)ARCH_THIN_STUB_SIZE * (link->words[symbol].stub - 1);
}

/* Return the address where the symbol is placed. */
static uint64_t placed_at(const struct thin_link *link, uint32_t symbol)
{
    const struct rel_symbol *s = &link->object->symbols[symbol];
    const struct thin_place *place = &link->places[s->section];

    return (place->kept || place->debug ? 0 : link->base) + place->at + s->value;
}

/*
 * Return the address of a placed symbol. The address of a function that stands for one of the target is the target's.
 * Assemblers refer to local functions by section and offset; where the reference is relative and in code, the field is
 * the last of its instruction, so that the addend has the 4 bytes of the field. A relative reference in data is an
 * entry of a switch table, and means the code itself.
 */
static uint64_t own_address(const struct thin_link *link, const struct thin_reference *reference)
{
    uint32_t symbol = reference->r->symbol, hosted = symbol;
    const struct rel_symbol *s = &link->object->symbols[symbol];
    uint64_t offset = 0;

    if (reference->branch || reference->own)
        return placed_at(link, symbol);
    if (s->type == STT_SECTION) {
        bool code = link->object->sections[reference->section].flags & SHF_EXECINSTR;

        if (reference->kind.relative && !code)
            return placed_at(link, symbol);
        offset = (uint64_t)reference->r->addend + (reference->kind.relative ? 4 : 0);
        hosted = thin_hosted_at(link, s->section, offset);
    }
    if (!link->thin->symbols[hosted].has_host)
        return placed_at(link, symbol);
    return link->host.bias + link->thin->symbols[hosted].host - offset;
}

static uint64_t referred_address(const struct thin_link *link,
                                 const struct thin_reference *reference)
{
    uint32_t symbol = reference->r->symbol;
    const struct rel_symbol *s = &link->object->symbols[symbol];
    const struct thin_symbol *thin = &link->thin->symbols[symbol];

    if (rel_symbol_placed(s))
        return own_address(link, reference);
    if (s->section == REL_ABSOLUTE)
        return s->value;
    if (thin->import == THIN_ADDRESS || (reference->branch && thin->has_call))
        return link->host.bias + (reference->branch && thin->has_call ? thin->call : thin->at);
    return link->words[symbol].stub ? own_stub(link, symbol) : 0;
}

/* Return the address of the word that holds the symbol's address. */
static uint64_t got_of(const struct thin_link *link, uint32_t symbol)
{
    const struct thin_symbol *thin = &link->thin->symbols[symbol];

    return thin->import == THIN_GOT ? link->host.bias + thin->at
                                    : got_word(link, link->words[symbol].got);
}

static uint64_t tls_got_of(const struct thin_link *link, uint32_t symbol)
{
    const struct thin_symbol *thin = &link->thin->symbols[symbol];

    return thin->import == THIN_GOT ? link->host.bias + thin->at
                                    : got_word(link, link->words[symbol].tls_got);
}

static uint64_t target_of(const struct thin_link *link, const struct thin_reference *reference)
{
    uint32_t symbol = reference->r->symbol;
    uint64_t got = link->base + link->parts[PART_GOT].at;

    switch (reference->kind.target) {
    case ARCH_THIN_ADDRESS:
    case ARCH_THIN_BRANCH:
        return referred_address(link, reference);
    case ARCH_THIN_GOT:
        return got_of(link, symbol);
    case ARCH_THIN_GOT_BASE:
        return got;
    case ARCH_THIN_GOT_RELATIVE:
        return referred_address(link, reference) - got;
    case ARCH_THIN_GOT_OFFSET:
        return got_of(link, symbol) - got;
    case ARCH_THIN_SIZE:
        return link->object->symbols[symbol].size;
    case ARCH_THIN_TLS_OFFSET:
        return (uint64_t)link->host.tls_offset + link->thin->symbols[symbol].at;
    case ARCH_THIN_TLS_GOT:
        return tls_got_of(link, symbol);
    case ARCH_THIN_TLS_PAIR:
        return got_word(link, link->words[symbol].tls_pair);
    case ARCH_THIN_TLS_MODULE:
        return got_word(link, link->tls_module);
    case ARCH_THIN_TLS_BLOCK:
        return link->thin->symbols[symbol].at;
    default:
        return 0;
    }
}

/* ---- fields ---- */

int thin_relocate(const struct thin_link *link, uint32_t section, const struct rel_relocation *r,
                  uint64_t at, bool own, uint8_t *field)
{
    const struct rel_section *in = &link->object->sections[section];
    struct thin_reference reference = {section, r, arch_thin(r->type), false, own};

    if (reference.kind.target == ARCH_THIN_NONE)
        return 0;
    if (!own && thin_is_dynamic(link, r)) /* for ld.so, which adds nothing of the field */
        return 0;
    reference.branch = thin_is_branch(link, section, r);
    if (arch_thin_apply(r->type, field, link->base + at, target_of(link, &reference), r->addend))
        return 0;
    return elf_fail(link->error, ELF_THIN_RELOCATION,
                    "relocation %u of %.100s+0x%llx: %.120s is out of its reach", r->type, in->name,
                    (unsigned long long)r->offset, thin_name_of(link, r->symbol));
}

static int write_section(const struct thin_link *link, uint32_t i)
{
    const struct rel_section *section = &link->object->sections[i];
    uint64_t at = link->places[i].at;

    if (section->bytes)
        memcpy(link->bytes + at, section->bytes, section->size);
    for (size_t k = 0; k < section->relocation_count; k++) {
        const struct rel_relocation *r = &section->relocations[k];

        if (thin_relocate(link, i, r, at + r->offset, false, link->bytes + at + r->offset) != 0)
            return -1;
    }
    return 0;
}

static void write_word(const struct thin_link *link, uint32_t index, uint64_t value)
{
    if (index)
        memcpy(link->bytes + link->parts[PART_GOT].at + UINT64_C(8) * (index - 1), &value,
               sizeof(value));
}

/* Write the words of a symbol that ld.so does not write. */
static void write_words(const struct thin_link *link, uint32_t symbol)
{
    const struct thin_words *words = &link->words[symbol];
    const struct thin_symbol *thin = &link->thin->symbols[symbol];
    const struct rel_relocation r = {.symbol = symbol};
    const struct thin_reference reference = {.r = &r};

    if (thin->import == THIN_DYNAMIC || thin->import == THIN_GOT)
        return;
    write_word(link, words->tls_got, (uint64_t)link->host.tls_offset + thin->at);
    if (words->got)
        write_word(link, words->got, referred_address(link, &reference));
    if (words->tls_pair) {
        write_word(link, words->tls_pair, link->host.tls_module);
        write_word(link, words->tls_pair + 1, thin->at);
    }
}

static int write_own_stubs(const struct thin_link *link)
{
    for (size_t i = 0; i < link->stub_count; i++) {
        uint64_t at = link->parts[PART_STUBS].at + i * ARCH_THIN_STUB_SIZE;

        if (!arch_thin_stub(link->bytes + at, link->base + at, got_of(link, link->stubs[i])))
            return elf_fail(link->error, ELF_THIN_RELOCATION, "the word of %.120s is out of reach",
                            thin_name_of(link, link->stubs[i]));
    }
    return 0;
}

static bool part_has_bytes(enum thin_part part)
{
    return part == PART_RODATA || part == PART_TEXT || part == PART_DATA;
}

int thin_relocate_all(const struct thin_link *link)
{
    for (uint32_t i = 1; i < link->object->section_count; i++)
        if (part_has_bytes(link->places[i].part) && write_section(link, i) != 0)
            return -1;
    for (uint32_t i = 1; i < link->object->symbol_count; i++)
        write_words(link, i);
    if (link->tls_module)
        write_word(link, link->tls_module, link->host.tls_module);
    return write_own_stubs(link);
}
