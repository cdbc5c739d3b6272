/*
 * baseline_symbols.c - see baseline_symbols.h.
 */
#include "resolve/baseline_symbols.h"

#include <string.h>

#include "resolve/baseline_names.h"

/* ------------------------------------------------------- evidence --- */

static void accept_address(struct baseline_symbol *symbol, uint64_t address)
{
    if (symbol->has_address && symbol->address != address)
        symbol->conflict = true;
    symbol->has_address = true;
    symbol->address = address;
}

static void accept_tls(struct baseline_symbol *symbol, int64_t offset)
{
    if (symbol->has_tls && symbol->tls != offset)
        symbol->conflict = true;
    symbol->has_tls = true;
    symbol->tls = offset;
}

static void accept_evidence(struct baseline *result, const struct evidence *evidence)
{
    struct baseline_symbol *symbol = &result->symbols[evidence->symbol];

    switch (evidence->kind) {
    case EVIDENCE_ADDRESS:
        accept_address(symbol, evidence->value);
        break;
    case EVIDENCE_CALL:
        symbol->has_call = true;
        symbol->call = evidence->value;
        break;
    case EVIDENCE_GOT:
        symbol->has_got = true;
        symbol->got = evidence->value;
        break;
    case EVIDENCE_TLS:
        accept_tls(symbol, (int64_t)evidence->value);
        break;
    case EVIDENCE_TLS_GOT:
        symbol->has_tls_got = true;
        symbol->tls_got = evidence->value;
        break;
    case EVIDENCE_TLS_PAIR:
        symbol->has_tls_pair = true;
        symbol->tls_pair = evidence->value;
        break;
    case EVIDENCE_TLS_MODULE:
        result->has_tls_module = true;
        result->tls_module = evidence->value;
        break;
    }
}

/* ------------------------------------------------------- the functions themselves --- */

static void accept_functions(struct baseline *result)
{
    for (size_t i = 0; i < result->function_count; i++) {
        const struct baseline_function *function = &result->functions[i];
        struct baseline_symbol *symbol = &result->symbols[function->symbol];
        if (function->verdict == BASELINE_DIFFERS || function->verdict == BASELINE_ABSENT)
            continue;
        if (!symbol->has_address) {
            symbol->by_name = !symbol->has_call;
            symbol->has_address = true;
            symbol->address = function->address;
        }
        if (!symbol->has_call) {
            symbol->has_call = true;
            symbol->call = function->address;
        }
    }
}

/* ------------------------------------------------------- names alone --- */

struct name_question {
    const struct baseline_work *work;
    uint32_t symbol;
    const struct binary_symbol *found;
    size_t count;
};

static int count_named(const struct binary_symbol *symbol, void *context)
{
    struct name_question *question = context;

    if (strcmp(question->work->object->symbols[question->symbol].name, symbol->name) != 0 ||
        !name_matches(question->work, question->symbol, symbol))
        return 0;
    if (question->found && question->found->address == symbol->address)
        return 0;
    question->found = symbol;
    question->count++;
    return 0;
}

/* Bind by the only symbol of that name and size. IFUNCs are bound by evidence alone: their symbol is the resolver. */
static void accept_name(struct baseline_work *work, uint32_t index)
{
    const struct rel_symbol *symbol = &work->object->symbols[index];
    struct baseline_symbol *out = &work->result->symbols[index];
    struct name_question question = {work, index, NULL, 0};

    if (symbol->type == STT_SECTION || symbol->type == STT_FILE || is_label_name(symbol->name) ||
        symbol->section == REL_ABSOLUTE || out->has_address || out->has_tls ||
        work->function_of[index] || (symbol->binding == STB_LOCAL && !work->group))
        return;
    binary_named(work->binary, symbol->name, count_named, &question);
    if (question.count != 1 || question.found->type == STT_GNU_IFUNC ||
        (rel_symbol_placed(symbol) && symbol->size != question.found->size))
        return;
    out->by_name = true;
    if (question.found->type == STT_TLS) {
        out->has_tls = true;
        out->tls = (int64_t)question.found->address;
    } else {
        out->has_address = true;
        out->address = question.found->address;
    }
}

/* ------------------------------------------------------- sections --- */

/* A section whose symbols all have the distance that they have in the object lies in one piece. */
static void accept_section(struct baseline_work *work, uint32_t index)
{
    const struct rel_object *object = work->object;
    struct rel_symbols symbols = rel_section_symbols(object, object->symbols[index].section);
    struct baseline_symbol *out = &work->result->symbols[index];
    uint64_t base = 0;
    bool found = false;

    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &object->symbols[symbols.indexes[i]];
        const struct baseline_symbol *known = &work->result->symbols[symbols.indexes[i]];
        if (is_label_name(symbol->name))
            continue;
        if (!known->has_address || known->conflict ||
            (found && known->address - symbol->value != base))
            return;
        base = known->address - symbol->value;
        found = true;
    }
    if (!found || (out->has_address && out->address != base))
        return;
    out->has_address = true;
    out->address = base;
}

void symbols_apply(struct baseline_work *work)
{
    const struct rel_object *object = work->object;

    for (size_t i = 0; i < work->evidence.count; i++)
        accept_evidence(work->result, &work->evidence.items[i]);
    accept_functions(work->result);
    for (uint32_t i = 1; i < object->symbol_count; i++)
        accept_name(work, i);
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        if (object->symbols[i].type == STT_SECTION && rel_symbol_placed(&object->symbols[i]))
            accept_section(work, i);
    }
}
