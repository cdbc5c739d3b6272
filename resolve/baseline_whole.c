/* baseline_whole.c - see baseline_whole.h. */
#include "resolve/baseline_whole.h"

#include <string.h>

#include "resolve/baseline_content.h"

/* ------------------------------------------------------- functions --- */

/* A static function that nothing calls, or a weak one that another file has, may be missing. */
static bool may_be_missing(const struct rel_symbol *symbol)
{
    return symbol->binding != STB_GLOBAL;
}

static bool same_functions(const struct baseline_work *work)
{
    const struct baseline *result = work->result;

    if (result->equal == 0)
        return false;
    for (size_t i = 0; i < result->function_count; i++) {
        const struct baseline_function *function = &result->functions[i];

        if (function->verdict != BASELINE_EQUAL &&
            (function->verdict != BASELINE_ABSENT ||
             !may_be_missing(&work->object->symbols[function->symbol])))
            return false;
    }
    return true;
}

/* ------------------------------------------------------- data --- */

static bool begins_with(const char *name, const char *with)
{
    size_t length = strlen(with);

    return strncmp(name, with, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

/* Return whether the compiler gave the section its name, and the code's references and the named data tell all of it. */
static bool is_usual_section(const struct rel_section *section)
{
    static const char *const names[] = {".text", ".data", ".bss", ".rodata", ".note", ".eh_frame"};

    if (!(section->flags & SHF_ALLOC) || section->size == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (begins_with(section->name, names[i]))
            return true;
    return false;
}

static bool same_sections(const struct baseline_work *work)
{
    for (uint32_t i = 1; i < work->object->section_count; i++)
        if (!is_usual_section(&work->object->sections[i]))
            return false;
    return true;
}

/* Return whether the symbol is one of data that the object defines. */
static bool defines_data(const struct baseline_work *work, const struct rel_symbol *symbol)
{
    if (symbol->section == REL_COMMON)
        return true;
    return rel_symbol_placed(symbol) && symbol->type != STT_SECTION && symbol->type != STT_FUNC &&
           symbol->type != STT_GNU_IFUNC && !is_label_name(symbol->name) &&
           (work->object->sections[symbol->section].flags & SHF_ALLOC);
}

static bool same_variable(struct baseline_work *work, uint32_t index)
{
    const struct rel_symbol *symbol = &work->object->symbols[index];
    const struct baseline_symbol *known = &work->result->symbols[index];
    const struct binary_symbol *there;

    if (!known->has_address || known->conflict || symbol->type == STT_TLS || symbol->size == 0)
        return false;
    there = binary_around(work->binary, known->address);
    if (!there || there->address != known->address || there->size != symbol->size)
        return false;
    return symbol->section == REL_COMMON || content_is_same(work, index, known->address);
}

static bool same_data(struct baseline_work *work)
{
    for (uint32_t i = 1; i < work->object->symbol_count; i++)
        if (defines_data(work, &work->object->symbols[i]) && !same_variable(work, i))
            return false;
    return true;
}

/* ------------------------------------------------------- what the object lacks --- */

static bool has_all_locals(const struct baseline_work *work)
{
    for (size_t i = 0; work->group && i < binary_symbol_count(work->binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(work->binary, i);

        if (symbol->group == work->group && !rel_symbol_named(work->object, symbol->name))
            return false;
    }
    return true;
}

bool whole_check(struct baseline_work *work)
{
    return same_functions(work) && same_sections(work) && same_data(work) && has_all_locals(work);
}
