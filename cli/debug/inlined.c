/*
 * inlined.c - see inlined.h.
 *
 * A function in a header has an abstract instance in each unit that uses it, so instances are told
 * apart by name and the place of the declaration, not by their offset. The copies of a function that
 * only its own unit can have are looked for in that unit alone.
 */
#include "cli/debug/inlined.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/debug/inlined_index.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"

#define TOLD 8

struct sought {
    const char *name;
    const char *file; /* of the declaration */
    int line;
    char **places; /* "main (reader.c:12)" */
    size_t count;
};

/* Return the name of a unit's file. dwarf_filesrc() handles number 0, which DWARF 5 gives to the unit's own file;
 * dwarf_decl_file() takes 0 for no file. */
static const char *source_name(Dwarf_CU *cu, Dwarf_Word number)
{
    Dwarf_Die unit;
    Dwarf_Files *files;
    Dwarf_Half version;

    if (!cu || !dwarf_cu_die(cu, &unit, &version, NULL, NULL, NULL, NULL, NULL) ||
        (number == 0 && version < 5) || dwarf_getsrcfiles(&unit, &files, NULL) != 0)
        return NULL;
    return dwarf_filesrc(files, number, NULL, NULL);
}

/* Find the file and the line of a function's declaration. False: DWARF does not have them. */
static bool declaration(Dwarf_Die *function, const char **file, int *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number;

    *file = NULL;
    if (dwarf_attr_integrate(function, DW_AT_decl_file, &attribute) &&
        dwarf_formudata(&attribute, &number) == 0)
        *file = source_name(attribute.cu, number);
    return *file && dwarf_decl_line(function, line) == 0;
}

static void note_copy(struct sought *sought, const struct inlined_copy *copy)
{
    Dwarf_Die call = copy->call;
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0, line = 0;
    const char *file = NULL;
    char *place;

    if (dwarf_attr(&call, DW_AT_call_file, &attribute) && dwarf_formudata(&attribute, &number) == 0)
        file = base_name(source_name(call.cu, number));
    if (dwarf_attr(&call, DW_AT_call_line, &attribute))
        dwarf_formudata(&attribute, &line);
    place = format_text("%s (%s:%llu)", copy->caller ? copy->caller : "?", file ? file : "?",
                        (unsigned long long)line);
    for (size_t i = 0; i < sought->count; i++)
        if (strcmp(sought->places[i], place) == 0) {
            free(place);
            return;
        }
    sought->places = reallocate(sought->places, (sought->count + 1) * sizeof(char *));
    sought->places[sought->count++] = place;
}

static int note_if_sought(const struct inlined_copy *copy, void *context)
{
    struct sought *sought = context;
    Dwarf_Die origin = copy->origin;
    const char *file;
    int line;

    if (declaration(&origin, &file, &line) && line == sought->line &&
        strcmp(file, sought->file) == 0)
        note_copy(sought, copy);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Return the list as text. The order does not depend on that of the units. */
static char *told(struct sought *sought)
{
    char *text = NULL;

    if (sought->count)
        qsort(sought->places, sought->count, sizeof(*sought->places), by_text);
    for (size_t i = 0; i < sought->count; i++) {
        char *longer =
            i < TOLD ? format_text("%s%s%s", text ? text : "", text ? ", " : "", sought->places[i])
                     : NULL;

        free(sought->places[i]);
        if (!longer)
            continue;
        free(text);
        text = longer;
    }
    if (sought->count > TOLD) {
        char *longer = format_text("%s and %zu more", text, sought->count - TOLD);

        free(text);
        text = longer;
    }
    free(sought->places);
    return text;
}

static bool seek(struct sought *sought, Dwarf_Die *function)
{
    sought->name = debug_die_name(function);
    return sought->name && declaration(function, &sought->file, &sought->line);
}

/* Return whether the function's code lies in another unit than its declaration: gcc's LTO writes it so, without
 * DW_AT_inline. */
static bool is_of_another_unit(Dwarf_Die *function)
{
    Dwarf_Attribute attribute;
    Dwarf_Die origin;

    return dwarf_attr(function, DW_AT_abstract_origin, &attribute) &&
           dwarf_formref_die(&attribute, &origin) && origin.cu != function->cu;
}

/* Return whether only this unit can have copies: the function is not external, not in a header and not of LTO. */
static bool is_private(Dwarf_Die *function, Dwarf_Die *unit, const char *file)
{
    Dwarf_Attribute attribute;
    bool external = false;
    const char *name = base_name(debug_die_name(unit));

    if (dwarf_attr_integrate(function, DW_AT_external, &attribute))
        dwarf_formflag(&attribute, &external);
    return !external && !is_of_another_unit(function) && name && file &&
           strcmp(name, base_name(file)) == 0;
}

/* Return whether the function may have been inlined: then its abstract instance says so. */
static bool may_have_copies(Dwarf_Die *function)
{
    return dwarf_hasattr_integrate(function, DW_AT_inline) || is_of_another_unit(function);
}

char *inlined_into(struct debug_info *info, uint64_t address, unsigned budget)
{
    struct sought sought = {0};
    uint64_t until = now_ms() + budget;
    Dwarf_Addr bias;
    Dwarf_Die storage, function;
    Dwarf_Die *unit = debug_info_unit(info, address, &storage, &bias);
    struct inlined_index *index = debug_info_inlined(info, &bias);

    if (!unit || !index)
        return NULL;
    inlined_index_unit(index, unit, until);
    if (!inlined_function_at(index, address - bias, &function) || !may_have_copies(&function) ||
        !seek(&sought, &function))
        return NULL;
    if (!is_private(&function, unit, sought.file))
        inlined_index_all(index, until);
    inlined_copies(index, sought.name, note_if_sought, &sought);
    return told(&sought);
}

static int take_first(const struct inlined_copy *copy, void *context)
{
    struct sought *sought = context;
    Dwarf_Die origin = copy->origin;

    return seek(sought, &origin);
}

/* Return whether the unit has the abstract instance. Functions in name spaces have symbols, and are not looked
 * for. */
static bool abstract_in(Dwarf_Die *unit, const char *name)
{
    Dwarf_Die die;

    if (dwarf_child(unit, &die) != 0)
        return false;
    do {
        const char *called =
            dwarf_tag(&die) == DW_TAG_subprogram && dwarf_hasattr(&die, DW_AT_inline)
                ? debug_die_name(&die)
                : NULL;

        if (called && strcmp(called, name) == 0)
            return true;
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

static bool abstract_anywhere(Dwarf *dwarf, const char *name, uint64_t until)
{
    Dwarf_Die storage, split, *unit;
    Dwarf_CU *last = NULL;

    while (now_ms() < until && (unit = debug_unit_next(dwarf, &last, &storage, &split)))
        if (abstract_in(unit, name))
            return true;
    return false;
}

char *inlined_everywhere(struct debug_info *info, const char *name, unsigned budget)
{
    struct sought sought = {0};
    uint64_t until = now_ms() + budget;
    Dwarf_Addr bias;
    struct inlined_index *index = debug_info_inlined(info, &bias);

    if (!index)
        return NULL;
    inlined_index_all(index, until);
    if (inlined_copies(index, name, take_first, &sought)) {
        inlined_copies(index, name, note_if_sought, &sought);
        return told(&sought);
    }
    return abstract_anywhere(debug_info_dwarf(info, &bias), name, until) ? format_text("%s", "")
                                                                         : NULL;
}
