/*
 * baseline_functions.c - see baseline_functions.h.
 */
#include "resolve/baseline_functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve/baseline_names.h"
#include "resolve/baseline_references.h"

/* Functions of one name that are tried. */
enum { CANDIDATES_MAX = 64 };

struct candidates {
    struct baseline_work *work;
    uint32_t symbol;
    bool local; /* symbols that are local in the binary and global in the object: hidden ones */
    size_t count;
    struct {
        uint64_t address, size;
    } items[CANDIDATES_MAX];
};

/* ------------------------------------------------------- the list --- */

static bool is_object_function(const struct rel_object *object, const struct rel_symbol *symbol)
{
    return symbol->type == STT_FUNC && rel_symbol_placed(symbol) &&
           object->sections[symbol->section].flags & SHF_EXECINSTR &&
           object->sections[symbol->section].bytes &&
           symbol->value < object->sections[symbol->section].size;
}

int functions_list(struct baseline_work *work)
{
    const struct rel_object *object = work->object;
    struct baseline *result = work->result;
    size_t count = 0;

    for (uint32_t i = 1; i < object->symbol_count; i++)
        count += is_object_function(object, &object->symbols[i]);
    result->functions = calloc(count + 1, sizeof *result->functions);
    work->functions = calloc(count + 1, sizeof *work->functions);
    work->function_of = calloc(object->symbol_count, sizeof *work->function_of);
    if (!result->functions || !work->functions || !work->function_of)
        return -1;
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        if (!is_object_function(object, &object->symbols[i]))
            continue;
        result->functions[result->function_count].symbol = i;
        result->functions[result->function_count].verdict = BASELINE_ABSENT;
        work->function_of[i] = (uint32_t)++result->function_count;
    }
    return 0;
}

/* Return where the function ends in its section: a symbol without a size reaches to the next function. */
static uint64_t function_end(const struct rel_object *object, const struct rel_symbol *symbol)
{
    struct rel_symbols symbols = rel_section_symbols(object, symbol->section);

    if (symbol->size)
        return symbol->value + symbol->size;
    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *next = &object->symbols[symbols.indexes[i]];
        if (next->value > symbol->value && next->type == STT_FUNC)
            return next->value;
    }
    return object->sections[symbol->section].size;
}

/* ------------------------------------------------------- candidates --- */

static int add_function_candidate(const struct binary_symbol *symbol, void *context)
{
    struct candidates *candidates = context;
    const struct rel_symbol *named = &candidates->work->object->symbols[candidates->symbol];
    bool local = symbol->binding == STB_LOCAL;

    if (symbol->type == STT_GNU_IFUNC || symbol->type == STT_TLS || symbol->type == STT_OBJECT ||
        !name_matches(candidates->work, candidates->symbol, symbol) ||
        strcmp(symbol->name, named->name) != 0 ||
        (named->binding != STB_LOCAL && local != candidates->local) ||
        !binary_is_code(candidates->work->binary, symbol->address))
        return 0;
    for (size_t i = 0; i < candidates->count; i++) {
        if (candidates->items[i].address == symbol->address)
            return 0;
    }
    candidates->items[candidates->count].address = symbol->address;
    candidates->items[candidates->count].size = symbol->size;
    return ++candidates->count == CANDIDATES_MAX;
}

static void find_candidates(struct baseline_work *work, uint32_t symbol, struct candidates *out)
{
    const char *name = work->object->symbols[symbol].name;

    *out = (struct candidates){.work = work, .symbol = symbol};
    binary_named(work->binary, name, add_function_candidate, out);
    if (out->count > 0 || work->object->symbols[symbol].binding == STB_LOCAL)
        return;
    out->local = true;
    binary_named(work->binary, name, add_function_candidate, out);
}

/* ------------------------------------------------------- one function --- */

static struct arch_compare question_for(struct baseline_work *work, const struct rel_symbol *symbol,
                                        uint64_t address, uint64_t size)
{
    const struct rel_section *section = &work->object->sections[symbol->section];
    struct arch_compare question = {
        .object = section->bytes,
        .begin = symbol->value,
        .end = function_end(work->object, symbol),
        .address = address,
        .unsized = size == 0,
        .refer = reference_check,
        .context = work,
    };

    question.relocations = rel_relocations_in(
        section, question.begin, question.end - question.begin, &question.relocation_count);
    question.binary = binary_bytes(work->binary, address, &question.binary_room);
    question.binary_size = size && size < question.binary_room ? size : question.binary_room;
    return question;
}

static void forget_content(struct baseline_work *work)
{
    if (work->seen)
        memset(work->seen, 0, work->seen_size * sizeof *work->seen);
    work->seen_count = 0;
}

/* Compare with one place; the evidence is kept where it is equal. */
static bool compare_at(struct baseline_work *work, uint32_t index, uint64_t address, uint64_t size,
                       struct arch_compared *compared)
{
    const struct rel_symbol *symbol = &work->object->symbols[work->result->functions[index].symbol];
    struct arch_compare question = question_for(work, symbol, address, size);
    size_t evidence = work->evidence.count, places = work->places.count;

    *compared = (struct arch_compared){0};
    if (!question.binary)
        return false;
    work->current = index;
    work->section = symbol->section;
    work->content = false;
    if (arch_compare(&question, compared))
        work->no_memory = true;
    if (compared->equal && !work->no_memory)
        return true;
    work->evidence.count = evidence;
    work->places.count = places;
    forget_content(work);
    return false;
}

static void set_reason(struct baseline_function *function, uint64_t at, const char *text)
{
    free(function->reason);
    if (asprintf(&function->reason, "at +0x%llx: %s", (unsigned long long)at, text) < 0)
        function->reason = NULL;
}

static void take_equal(struct baseline_work *work, uint32_t index, uint64_t address, uint64_t size,
                       struct arch_compared *compared)
{
    struct baseline_function *function = &work->result->functions[index];
    struct compared_function *known = &work->functions[index];

    arch_compared_free(&known->compared);
    known->compared = *compared;
    known->content = work->content;
    memcpy(known->content_reason, work->content_reason, sizeof known->content_reason);
    function->verdict = work->content ? BASELINE_CONTENT : BASELINE_EQUAL;
    function->address = address;
    function->size = size ? size : compared->size;
    free(function->reason);
    function->reason = work->content ? strdup(work->content_reason) : NULL;
}

/* Return whether a function of this object need not be the one that the linker took. */
static bool may_be_of_other_unit(const struct rel_object *object, const struct rel_symbol *symbol)
{
    bool comdat = false;

    rel_group_signature(object, object->sections[symbol->section].group, &comdat);
    return comdat || symbol->binding == STB_WEAK;
}

static void take_different(struct baseline_work *work, uint32_t index, uint64_t address,
                           uint64_t size, const struct arch_compared *compared)
{
    struct baseline_function *function = &work->result->functions[index];

    function->verdict = may_be_of_other_unit(work->object, &work->object->symbols[function->symbol])
                            ? BASELINE_ABSENT
                            : BASELINE_DIFFERS;
    function->address = address;
    function->size = size;
    set_reason(function, compared->at,
               compared->reason[0] ? compared->reason : "the binary has no bytes there");
}

/* Several statics of one name may be equal but for what they refer to; then the file's own decides. */
static void compare_function(struct baseline_work *work, uint32_t index)
{
    struct baseline_function *function = &work->result->functions[index];
    struct candidates candidates;
    size_t equal = 0;

    find_candidates(work, function->symbol, &candidates);
    for (size_t i = 0; i < candidates.count && !work->no_memory; i++) {
        struct arch_compared compared;
        uint64_t address = candidates.items[i].address, size = candidates.items[i].size;
        bool same = compare_at(work, index, address, size, &compared);
        if (same && equal++ == 0)
            take_equal(work, index, address, size, &compared);
        else if (!same && equal == 0 && !function->reason)
            take_different(work, index, address, size, &compared);
        if (!same || equal > 1)
            arch_compared_free(&compared);
    }
    if (equal > 1) {
        function->verdict = BASELINE_DIFFERS;
        set_reason(function, 0, "several functions of the binary have this name and this code");
    }
}

/* A second name of one function that has been compared. */
static bool is_alias_of_compared(struct baseline_work *work, uint32_t index)
{
    const struct rel_object *object = work->object;
    struct baseline_function *function = &work->result->functions[index];
    const struct rel_symbol *symbol = &object->symbols[function->symbol];
    struct rel_symbols symbols = rel_section_symbols(object, symbol->section);
    struct candidates candidates;

    for (size_t i = 0; symbols.count > 1 && i < symbols.count; i++) {
        uint32_t other = work->function_of[symbols.indexes[i]];
        const struct baseline_function *known = &work->result->functions[other ? other - 1 : index];
        if (!other || known == function || known->verdict != BASELINE_EQUAL ||
            object->symbols[known->symbol].value != symbol->value)
            continue;
        find_candidates(work, function->symbol, &candidates);
        for (size_t c = 0; c < candidates.count; c++) {
            if (candidates.items[c].address != known->address)
                continue;
            function->verdict = BASELINE_EQUAL;
            function->address = known->address;
            function->size = known->size;
            return true;
        }
    }
    return false;
}

void functions_compare(struct baseline_work *work, bool global)
{
    for (uint32_t i = 0; i < work->result->function_count && !work->no_memory; i++) {
        const struct rel_symbol *symbol = &work->object->symbols[work->result->functions[i].symbol];
        if ((global && symbol->binding == STB_LOCAL) || is_alias_of_compared(work, i))
            continue;
        compare_function(work, i);
    }
}

void functions_forget(struct baseline_work *work)
{
    for (size_t i = 0; i < work->result->function_count; i++) {
        struct baseline_function *function = &work->result->functions[i];
        free(function->reason);
        *function =
            (struct baseline_function){.symbol = function->symbol, .verdict = BASELINE_ABSENT};
        arch_compared_free(&work->functions[i].compared);
        work->functions[i] = (struct compared_function){0};
    }
    work->evidence.count = 0;
    work->places.count = 0;
    memset(work->is_verified, 0, work->object->symbol_count * sizeof *work->is_verified);
    forget_content(work);
}

/* ------------------------------------------------------- the end --- */

static void check_places(struct baseline_work *work)
{
    for (size_t i = 0; i < work->places.count; i++) {
        const struct code_place *place = &work->places.items[i];
        struct baseline_function *function = &work->result->functions[place->function];
        if (function->verdict == BASELINE_DIFFERS || reference_place_leads(work, place))
            continue;
        function->verdict = BASELINE_DIFFERS;
        set_reason(function, 0, "a jump table or a label leads to another instruction");
    }
}

struct sharing {
    const struct baseline_work *work;
    const struct rel_symbol *own;
    const char *other;
};

/* Compare names without the version that .symver adds in an object. */
static bool is_named_unversioned(const struct rel_symbol *symbol, const char *name)
{
    size_t length = strcspn(symbol->name, "@");

    return strlen(name) == length && memcmp(symbol->name, name, length) == 0;
}

/* Return whether the object itself gives the function that name, too: an alias. */
static bool is_own_alias(const struct sharing *sharing, const char *name)
{
    const struct rel_object *object = sharing->work->object;
    struct rel_symbols symbols = rel_section_symbols(object, sharing->own->section);

    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &object->symbols[symbols.indexes[i]];
        if (symbol->value == sharing->own->value && is_named_unversioned(symbol, name))
            return true;
    }
    return false;
}

static int find_shared(const struct binary_symbol *symbol, void *context)
{
    struct sharing *sharing = context;

    bool foreign = sharing->own->binding == STB_LOCAL && symbol->binding == STB_LOCAL &&
                   symbol->group != sharing->work->group;

    if (symbol->type != STT_FUNC || symbol->size == 0 ||
        (!foreign && is_own_alias(sharing, symbol->name)))
        return 0;
    sharing->other = symbol->name;
    return 1;
}

/* The functions of one name of two files may be folded, too: then .symtab has two local symbols of it. */
static void check_shared(struct baseline_work *work, struct baseline_function *function)
{
    struct sharing sharing = {work, &work->object->symbols[function->symbol], NULL};

    if (!binary_at(work->binary, function->address, find_shared, &sharing))
        return;
    function->verdict = BASELINE_SHARED;
    free(function->reason);
    if (asprintf(&function->reason, "the linker made one function of it and '%s' (--icf)",
                 sharing.other) < 0)
        function->reason = NULL;
}

void functions_finish(struct baseline_work *work)
{
    struct baseline *result = work->result;

    check_places(work);
    for (size_t i = 0; i < result->function_count; i++) {
        if (result->functions[i].verdict == BASELINE_EQUAL)
            check_shared(work, &result->functions[i]);
        switch (result->functions[i].verdict) {
        case BASELINE_EQUAL:
            result->equal++;
            break;
        case BASELINE_CONTENT:
            result->content++;
            break;
        case BASELINE_SHARED:
            result->shared++;
            break;
        case BASELINE_DIFFERS:
            result->differs++;
            break;
        case BASELINE_ABSENT:
            result->absent++;
            break;
        }
    }
}
