/* object_dwarf.c - see object_dwarf.h. */
#include "cli/build/object_dwarf.h"

#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/object_dwarf_content.h"
#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"
#include "elf/rel_debug.h"

/* -------------------------------------------------------------- opening --- */

static int refuse_form(const char *name, const char *flag, const char *instead, struct refusal *why)
{
    return refuse(why, HP_LATER,
                  "%s was compiled with %s, whose types hotpatch cannot compare: use %s", name,
                  flag, instead);
}

static int check_sections(const char *name, const struct rel_object *object, struct refusal *why)
{
    unsigned units = 0;

    for (size_t i = 1; i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if (strncmp(section->name, ".zdebug_", strlen(".zdebug_")) == 0 ||
            (strncmp(section->name, ".debug_", strlen(".debug_")) == 0 &&
             (section->flags & SHF_COMPRESSED)))
            return refuse_form(name, "-gz", "-gz=none", why);
        units += strcmp(section->name, ".debug_info") == 0;
        if (strcmp(section->name, ".debug_types") == 0 || units > 1)
            return refuse_form(name, "-fdebug-types-section", "-fno-debug-types-section", why);
    }
    return 0;
}

static bool is_split(Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, split;
    uint8_t type;

    while (dwarf && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, &split) == 0)
        if (type == DW_UT_skeleton || dwarf_hasattr(&die, DW_AT_GNU_dwo_name) ||
            dwarf_hasattr(&die, DW_AT_dwo_name))
            return true;
    return false;
}

int object_dwarf_open(struct object_dwarf **out, const char *name, const struct rel_object *object,
                      struct refusal *why)
{
    struct object_dwarf *dwarf;

    *out = NULL;
    if (check_sections(name, object, why) != 0)
        return -1;
    dwarf = allocate(sizeof(*dwarf));
    *dwarf = (struct object_dwarf){.object = object, .bytes = rel_debug_copy(object)};
    dwarf->content = allocate(sizeof(*dwarf->content));
    *dwarf->content = (struct dwarf_content){0};
    elf_version(EV_CURRENT);
    if (dwarf->bytes)
        dwarf->elf = elf_memory((char *)dwarf->bytes, object->size);
    if (dwarf->elf && rel_section_named(object, ".debug_info"))
        dwarf->dwarf = dwarf_begin_elf(dwarf->elf, DWARF_C_READ, NULL);
    if (dwarf->elf && (!dwarf->dwarf || debug_texts_end(dwarf->dwarf)) && !is_split(dwarf->dwarf)) {
        *out = dwarf;
        return 0;
    }
    if (dwarf->elf && is_split(dwarf->dwarf))
        refuse_form(name, "-gsplit-dwarf", "-gno-split-dwarf", why);
    else
        refuse(why, HP_ELF_CORRUPT, "%s cannot be read as an ELF object, or its DWARF is damaged",
               name);
    object_dwarf_close(dwarf);
    return -1;
}

void object_dwarf_close(struct object_dwarf *dwarf)
{
    struct dwarf_content *content;

    if (!dwarf)
        return;
    content = dwarf->content;
    if (content->comparison_free)
        content->comparison_free(content->comparison);
    type_table_free(&content->types);
    for (size_t i = 0; i < content->text_count; i++)
        free(content->texts[i]);
    free(content->texts);
    free(content->variables);
    free(content->formed);
    free(content->functions);
    free(content->named);
    free(content->variables_by_place);
    free(content->functions_by_place);
    free(content);
    if (dwarf->dwarf)
        dwarf_end(dwarf->dwarf);
    if (dwarf->elf)
        elf_end(dwarf->elf);
    free(dwarf->bytes);
    free(dwarf);
}

const struct rel_object *object_dwarf_object(const struct object_dwarf *dwarf)
{
    return dwarf->object;
}

Dwarf *object_dwarf_handle(const struct object_dwarf *dwarf)
{
    return dwarf->dwarf;
}

struct type_table *object_dwarf_types(const struct object_dwarf *dwarf)
{
    return dwarf_content_types(dwarf);
}

void **object_dwarf_comparison(const struct object_dwarf *dwarf, void (*free_it)(void *))
{
    dwarf->content->comparison_free = free_it;
    return &dwarf->content->comparison;
}

/* -------------------------------------------------------------- interface --- */

const struct dwarf_variable *object_dwarf_variables(const struct object_dwarf *dwarf, size_t *count)
{
    struct dwarf_content *content = dwarf_content_of(dwarf);

    *count = content->variable_count;
    return content->variables;
}

const struct dwarf_variable *object_dwarf_variable_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset)
{
    struct dwarf_content *content = dwarf_content_of(dwarf);
    const struct place_index *found =
        dwarf_place_find(content->variables_by_place, content->variable_count,
                         (struct dwarf_place){section, offset});
    const struct dwarf_variable *variable = found ? &content->variables[found->index] : NULL;

    if (!variable ||
        (offset != variable->place.offset && offset - variable->place.offset >= variable->size))
        return NULL;
    return variable;
}

const struct dwarf_formed *object_dwarf_formed(const struct object_dwarf *dwarf, size_t *count)
{
    struct dwarf_content *content = dwarf_content_of(dwarf);

    *count = content->formed_count;
    return content->formed;
}

const struct dwarf_function *object_dwarf_functions(const struct object_dwarf *dwarf, size_t *count)
{
    struct dwarf_content *content = dwarf_content_of(dwarf);

    *count = content->function_count;
    return content->functions;
}

const struct dwarf_function *object_dwarf_function_nth(const struct object_dwarf *dwarf,
                                                       struct dwarf_place place, size_t number)
{
    struct dwarf_content *content = dwarf_content_of(dwarf);
    const struct place_index *found =
        dwarf_place_find(content->functions_by_place, content->function_count, place);

    if (!found || number > (size_t)(found - content->functions_by_place))
        return NULL;
    found -= number;
    return found->place.section == place.section && found->place.offset == place.offset
               ? &content->functions[found->index]
               : NULL;
}

const struct dwarf_function *object_dwarf_function_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset)
{
    return object_dwarf_function_nth(dwarf, (struct dwarf_place){section, offset}, 0);
}

static const char *line_table_where(const struct object_dwarf *dwarf, Dwarf_Addr address,
                                    unsigned *line)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, split;
    uint8_t type;
    Dwarf_Line *found;
    int number;

    while (dwarf->dwarf &&
           dwarf_get_units(dwarf->dwarf, unit, &unit, NULL, &type, &die, &split) == 0)
        if ((found = dwarf_getsrc_die(&die, address)) && dwarf_lineno(found, &number) == 0) {
            *line = number > 0 ? (unsigned)number : 0;
            return dwarf_linesrc(found, NULL, NULL);
        }
    return NULL;
}

const char *object_dwarf_where(const struct object_dwarf *dwarf, uint32_t section, uint64_t offset,
                               unsigned *line)
{
    const struct dwarf_function *function = object_dwarf_function_at(dwarf, section, offset);

    *line = 0;
    if (function && function->line && !function->part) {
        *line = function->line;
        return function->file;
    }
    return line_table_where(dwarf, (uint64_t)section << 32 | offset, line);
}

/* ------------------------------------------------------------------ units --- */

static bool first_unit(const struct object_dwarf *dwarf, Dwarf_Die *die)
{
    Dwarf_CU *unit = NULL;
    uint8_t type;

    return dwarf->dwarf && dwarf_get_units(dwarf->dwarf, NULL, &unit, NULL, &type, die, NULL) == 0;
}

const char *object_dwarf_producer(const struct object_dwarf *dwarf)
{
    Dwarf_Attribute attribute;
    Dwarf_Die die;

    return first_unit(dwarf, &die) && dwarf_attr(&die, DW_AT_producer, &attribute)
               ? debug_text(&attribute)
               : NULL;
}

/* Return whether the words have the flag, with or without a value. */
static bool has_flag(const char *words, const char *flag)
{
    size_t length = strlen(flag);

    for (const char *at = words; (at = strstr(at, flag)); at += length)
        if ((at == words || at[-1] == ' ') && (!at[length] || strchr(" =", at[length])))
            return true;
    return false;
}

const char *object_dwarf_whole_program(const struct object_dwarf *dwarf)
{
    static const char *const flags[] = {"-flto", "-fprofile-use", "-fauto-profile",
                                        "-fwhole-program"};
    const char *producer = object_dwarf_producer(dwarf);

    for (size_t i = 0; producer && i < sizeof(flags) / sizeof(*flags); i++)
        if (has_flag(producer, flags[i]))
            return flags[i];
    for (size_t i = 1; i < dwarf->object->section_count; i++)
        if (strncmp(dwarf->object->sections[i].name, ".gnu.lto_", strlen(".gnu.lto_")) == 0)
            return "-flto";
    return NULL;
}

bool object_dwarf_is_cxx(const struct object_dwarf *dwarf)
{
    Dwarf_Die die;

    switch (first_unit(dwarf, &die) ? dwarf_srclang(&die) : -1) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
        return true;
    default:
        return false;
    }
}

/* Debug information of level 1 has functions, variables and line numbers without types. */
/* Return whether the object has code or data. */
static bool has_contents(const struct rel_object *object)
{
    for (size_t i = 1; i < object->section_count; i++)
        if ((object->sections[i].flags & SHF_ALLOC) && object->sections[i].type != SHT_NOTE &&
            object->sections[i].size)
            return true;
    return false;
}

/* Return whether the last level that DW_AT_producer states is 1. Only gcc states it. */
static bool states_level_1(const char *producer)
{
    const char *last = "";

    for (const char *at = producer; at && (at = strstr(at, " -g")); at++)
        if (strspn(at + 3, "0123456789") == strcspn(at + 3, " "))
            last = at + 3;
    return *last == '1';
}

/* A unit whose functions have neither parameters nor results has no type in it. With level 1 gcc writes the same; clang
 * writes no frame base. */
static bool has_level_2(const struct object_dwarf *dwarf, Dwarf_Die *function)
{
    const char *producer = object_dwarf_producer(dwarf);

    return producer && dwarf_hasattr(function, DW_AT_frame_base) && !states_level_1(producer);
}

bool object_dwarf_has_types(const struct object_dwarf *dwarf)
{
    Dwarf_Die die, child;

    if (!has_contents(dwarf->object))
        return true; /* there is nothing that could have another type */
    if (!first_unit(dwarf, &die) || dwarf_child(&die, &child) != 0)
        return false;
    do
        switch (dwarf_tag(&child)) {
        case DW_TAG_subprogram:
        case DW_TAG_variable:
            if (dwarf_hasattr(&child, DW_AT_type) || dwarf_hasattr(&child, DW_AT_prototyped) ||
                has_level_2(dwarf, &child))
                return true;
            break;
        case DW_TAG_imported_unit:
        case DW_TAG_call_site:
            break;
        default:
            return true;
        }
    while (debug_next_sibling(&child));
    return false;
}
