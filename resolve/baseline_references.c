/*
 * baseline_references.c - see baseline_references.h.
 *
 * An assembler names a static variable by its section and an offset. With -fdata-sections the section holds that variable
 * alone; an offset outside of it (a[i - 4]) still means it.
 */
#include "resolve/baseline_references.h"

#include <string.h>

#include "resolve/baseline_content.h"
#include "resolve/baseline_evidence.h"
#include "resolve/baseline_names.h"

enum place_kind { PLACE_NAMED, PLACE_CODE, PLACE_CONSTANT };

/* What an offset from a symbol of the object is. */
struct reference_place {
    enum place_kind kind;
    uint32_t symbol;  /* PLACE_NAMED */
    uint32_t section; /* the others */
    int64_t offset;   /* from the symbol, else in the section */
};

/* ------------------------------------------------------- places --- */

static bool is_name(const struct rel_symbol *symbol)
{
    return !is_label_name(symbol->name);
}

/* Return the only place with a name in a section, or 0. */
static uint32_t only_symbol(const struct rel_object *object, uint32_t section)
{
    struct rel_symbols symbols = rel_section_symbols(object, section);
    uint32_t only = 0;

    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &object->symbols[symbols.indexes[i]];
        if (!is_name(symbol))
            continue;
        if (only && object->symbols[only].value != symbol->value)
            return 0;
        if (!only || object->symbols[only].size < symbol->size)
            only = symbols.indexes[i];
    }
    return only;
}

static uint32_t data_symbol(const struct rel_object *object, uint32_t section, int64_t offset)
{
    uint32_t only = only_symbol(object, section);

    if (only || offset < 0)
        return only;
    uint32_t around = rel_symbol_around(object, section, (uint64_t)offset);
    return around && is_name(&object->symbols[around]) ? around : 0;
}

/* Return the function that begins there, or 0. */
static uint32_t function_label_at(const struct rel_object *object, uint32_t section, int64_t offset)
{
    struct rel_symbols symbols = rel_section_symbols(object, section);
    uint32_t found = 0;

    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &object->symbols[symbols.indexes[i]];
        if ((int64_t)symbol->value != offset || !is_name(symbol))
            continue;
        if (!found || symbol->type == STT_FUNC)
            found = symbols.indexes[i];
    }
    return found;
}

static struct reference_place place_in_section(const struct rel_object *object, uint32_t section,
                                               int64_t offset)
{
    uint64_t flags = object->sections[section].flags;
    bool code = flags & SHF_EXECINSTR;
    uint32_t symbol = code                ? function_label_at(object, section, offset)
                      : flags & SHF_MERGE ? 0
                                          : data_symbol(object, section, offset);

    if (symbol)
        return (struct reference_place){
            PLACE_NAMED, symbol, 0,
            offset_difference(offset, (int64_t)object->symbols[symbol].value)};
    return (struct reference_place){code ? PLACE_CODE : PLACE_CONSTANT, 0, section, offset};
}

static struct reference_place reference_place_of(const struct baseline_work *work, uint32_t index,
                                                 int64_t offset)
{
    const struct rel_object *object = work->object;

    if (index == ARCH_REFERENCE_OWN)
        return place_in_section(object, work->section, offset);
    const struct rel_symbol *symbol = &object->symbols[index];
    if (!rel_symbol_placed(symbol) || (symbol->type != STT_SECTION && is_name(symbol)))
        return (struct reference_place){PLACE_NAMED, index, 0, offset};
    return place_in_section(object, symbol->section, offset_sum(offset, symbol->value));
}

/* ------------------------------------------------------- addresses --- */

static bool is_defined_function(const struct baseline_work *work, uint32_t symbol)
{
    const struct rel_symbol *named = &work->object->symbols[symbol];

    return rel_symbol_placed(named) && work->object->sections[named->section].flags & SHF_EXECINSTR;
}

/* `at` of the binary is the symbol plus the offset. */
static const char *check_named(struct baseline_work *work, uint32_t symbol, int64_t offset,
                               uint64_t at, bool branch)
{
    const char *reason;

    /* Into the middle of a function that has a name: the way in is compared with the function. */
    if (offset != 0 && is_defined_function(work, symbol)) {
        const struct rel_symbol *named = &work->object->symbols[symbol];
        struct code_place place = {
            .section = named->section, .offset = named->value + (uint64_t)offset, .address = at};
        evidence_add_place(work, &place);
        return NULL;
    }
    reason = name_check_address(work, symbol, at - (uint64_t)offset, branch);
    if (!reason && !branch)
        content_check_named(work, symbol, at - (uint64_t)offset);
    return reason;
}

static const char *check_address(struct baseline_work *work, const struct reference_place *place,
                                 uint64_t at, bool branch)
{
    struct code_place code = {
        .section = place->section, .offset = (uint64_t)place->offset, .address = at};

    switch (place->kind) {
    case PLACE_NAMED:
        return check_named(work, place->symbol, place->offset, at, branch);
    case PLACE_CODE:
        evidence_add_place(work, &code);
        return NULL;
    case PLACE_CONSTANT:
        if (place->offset < 0)
            return "the object refers to memory before a constant";
        content_check(work, place->section, (uint64_t)place->offset, at);
        return NULL;
    }
    return NULL;
}

/* A word of 8 bytes at `field` that ld.so may relocate: it holds the place. */
static const char *check_word(struct baseline_work *work, const struct reference_place *place,
                              uint64_t field)
{
    struct binary_word word = binary_word(work->binary, field);

    if (word.kind == BINARY_WORD_PLAIN || word.kind == BINARY_WORD_ADDRESS)
        return check_address(work, place, word.value, false);
    return place->kind == PLACE_NAMED ? name_check_word(work, place->symbol, place->offset, field)
                                      : "a word of the binary refers to a symbol";
}

/* ------------------------------------------------------- the rest --- */

/* Return whether a constant's label, not its offset, says which one is meant: merged sections. */
static bool goes_by_label(const struct baseline_work *work, uint32_t index)
{
    if (index == ARCH_REFERENCE_OWN)
        return false;
    const struct rel_symbol *symbol = &work->object->symbols[index];
    return rel_symbol_placed(symbol) && symbol->type != STT_SECTION && !is_name(symbol) &&
           work->object->sections[symbol->section].flags & SHF_MERGE;
}

static const char *check_label(struct baseline_work *work, uint32_t index, int64_t offset,
                               uint64_t at)
{
    const struct rel_symbol *label = &work->object->symbols[index];

    content_check(work, label->section, label->value, at - (uint64_t)offset);
    return NULL;
}

static const char *check_symbol_size(const struct baseline_work *work, uint32_t symbol,
                                     uint64_t size)
{
    uint64_t own = work->object->symbols[symbol].size;

    return own == size || own == 0 ? NULL : "the object has another size of a symbol";
}

static const char *check_own(struct baseline_work *work, const struct arch_reference *reference,
                             const struct reference_place *place)
{
    uint64_t value = reference->at - (uint64_t)place->offset;
    uint32_t symbol = place->symbol;

    switch (reference->kind) {
    case ARCH_REFERENCE_GOT:
        return name_check_got(work, symbol, value);
    case ARCH_REFERENCE_SIZE:
        return check_symbol_size(work, symbol, value);
    case ARCH_REFERENCE_TLS_OFFSET:
        return name_check_tls_offset(work, symbol, (int64_t)value);
    case ARCH_REFERENCE_TLS_BLOCK:
        return name_check_tls_block(work, symbol, (int64_t)value);
    case ARCH_REFERENCE_TLS_GOT:
        return name_check_tls_got(work, symbol, value);
    case ARCH_REFERENCE_TLS_PAIR:
        return name_check_tls_pair(work, symbol, value);
    case ARCH_REFERENCE_TLS_DESCRIPTOR:
        return name_check_descriptor(work, symbol, value);
    default:
        return "the object refers to what is not known";
    }
}

const char *reference_check(const struct arch_reference *reference, void *context)
{
    struct baseline_work *work = context;
    struct reference_place place = reference_place_of(work, reference->symbol, reference->offset);

    switch (reference->kind) {
    case ARCH_REFERENCE_ADDRESS:
    case ARCH_REFERENCE_BRANCH:
        if (goes_by_label(work, reference->symbol))
            return check_label(work, reference->symbol, reference->offset, reference->at);
        return check_address(work, &place, reference->at, reference->kind == ARCH_REFERENCE_BRANCH);
    case ARCH_REFERENCE_WORD:
        return check_word(work, &place, reference->field);
    case ARCH_REFERENCE_TLS_MODULE:
        return name_check_tls_module(work, reference->at);
    case ARCH_REFERENCE_GOT_BASE:
        return NULL;
    default:
        return place.kind == PLACE_NAMED ? check_own(work, reference, &place)
                                         : "the object refers to a constant by a word of the GOT";
    }
}

/* ------------------------------------------------------- constants --- */

/* Return whether a symbol is a section of code or a label in one. */
static bool is_code_label(const struct baseline_work *work, uint32_t symbol)
{
    const struct rel_symbol *label = &work->object->symbols[symbol];

    return rel_symbol_placed(label) && (label->type == STT_SECTION || !is_name(label)) &&
           work->object->sections[label->section].flags & SHF_EXECINSTR;
}

static uint64_t data_value(const struct arch_thin *kind, const uint8_t *bytes)
{
    uint64_t value = 0;

    memcpy(&value, bytes, kind->size);
    return kind->size == 4 && !kind->zero ? (uint64_t)(int64_t)(int32_t)value : value;
}

/* An entry of a table of distances from the table, or from the entry itself. */
static const char *check_distance(struct baseline_work *work, const struct reference_place *place,
                                  uint64_t at, uint64_t base)
{
    bool before = work->content;

    if (place->offset >= (int64_t)base) {
        content_check(work, place->section, (uint64_t)place->offset - base, at - base);
        if (before || !work->content || base == 0)
            return NULL;
        work->content = before;
    }
    return check_address(work, place, at, false);
}

const char *reference_check_data(struct baseline_work *work,
                                 const struct rel_relocation *relocation, uint64_t field,
                                 uint64_t base)
{
    struct arch_thin kind = arch_thin(relocation->type);
    struct reference_place place = reference_place_of(work, relocation->symbol, relocation->addend);
    size_t there;
    const uint8_t *bytes = binary_bytes(work->binary, field, &there);

    if (kind.target == ARCH_THIN_NONE)
        return NULL;
    if ((kind.target != ARCH_THIN_ADDRESS && kind.target != ARCH_THIN_BRANCH) || kind.size < 4)
        return "a constant has a relocation of a kind that is not known";
    if (kind.size == 8 && !kind.relative && !goes_by_label(work, relocation->symbol))
        return check_word(work, &place, field);
    if (kind.size == 8 && !kind.relative) {
        struct binary_word word = binary_word(work->binary, field);
        return check_label(work, relocation->symbol, relocation->addend, word.value);
    }
    if (!bytes || there < kind.size)
        return "a constant lies outside the binary";
    uint64_t at = data_value(&kind, bytes) + (kind.relative ? field : 0);
    /* An entry of a jump table: label - table. The assembler adds the entry's distance from the table. */
    if (kind.relative && is_code_label(work, relocation->symbol)) {
        const struct rel_symbol *symbol = &work->object->symbols[relocation->symbol];
        struct code_place code = {.section = symbol->section,
                                  .offset = symbol->value + (uint64_t)relocation->addend,
                                  .address = at,
                                  .base = base};
        evidence_add_place(work, &code);
        return NULL;
    }
    if (goes_by_label(work, relocation->symbol))
        return check_label(work, relocation->symbol, relocation->addend, at);
    if (kind.relative && place.kind == PLACE_CONSTANT)
        return check_distance(work, &place, at, base);
    return check_address(work, &place, at, false);
}

/* ------------------------------------------------------- places inside code --- */

/* Return whether two functions are names of one, of which the first was compared: its instructions are known. */
static bool is_known_alias(const struct baseline_work *work, size_t known, size_t other)
{
    const struct rel_symbol *symbols = work->object->symbols;
    const struct baseline_function *functions = work->result->functions;

    return symbols[functions[known].symbol].value == symbols[functions[other].symbol].value &&
           work->functions[known].compared.equal;
}

/* Return the index of the last function that begins at or before the offset; function_count: none. */
static size_t function_before(const struct baseline_work *work, uint32_t section, uint64_t offset)
{
    struct rel_symbols symbols = rel_section_symbols(work->object, section);
    size_t none = work->result->function_count, found = none;

    for (size_t i = 0; i < symbols.count; i++) {
        uint32_t function = work->function_of[symbols.indexes[i]];
        if (function && work->object->symbols[symbols.indexes[i]].value <= offset &&
            (found == none || !is_known_alias(work, found, function - 1)))
            found = function - 1;
    }
    return found;
}

static bool place_leads(const struct baseline_work *work, uint32_t section, uint64_t offset,
                        uint64_t address)
{
    size_t index = function_before(work, section, offset);

    if (index == work->result->function_count)
        return false;
    const struct baseline_function *function = &work->result->functions[index];
    return (function->verdict == BASELINE_EQUAL || function->verdict == BASELINE_CONTENT) &&
           arch_compared_leads(&work->functions[index].compared, offset,
                               address - function->address);
}

bool reference_place_leads(const struct baseline_work *work, const struct code_place *place)
{
    return place_leads(work, place->section, place->offset - place->base,
                       place->address - place->base) ||
           (place->base && place_leads(work, place->section, place->offset, place->address));
}
