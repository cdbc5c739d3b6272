/*
 * inlined.c - see inlined.h.
 *
 * A function in a header has an abstract instance in each unit that uses it, so instances are told
 * by name and the place of the declaration, not by their offset. A function that is seen in one file
 * alone is looked for in the unit of its own code alone.
 */
#include "inlined.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "debug_internal.h"
#include "output.h"
#include "talk.h"

#define TOLD 8
#define DEPTH_MAX 200      /* of nested blocks; deeper ones are not compilers' */
#define CLOCK_INTERVAL 512 /* DIEs between looks at the time */

struct sought {
    const char *name;
    const char *file; /* of the declaration */
    int line;
    uint64_t until; /* CLOCK_MONOTONIC ms */
    unsigned seen;
    bool late;
    char **places; /* "main (reader.c:12)" */
    size_t count;
};

static bool out_of_time(struct sought *sought)
{
    if (++sought->seen % CLOCK_INTERVAL == 0 && now_ms() >= sought->until)
        sought->late = true;
    return sought->late;
}

static bool is_sought(const struct sought *sought, Dwarf_Die *origin)
{
    const char *name = dwarf_diename(origin), *file;
    int line = 0;

    if (!name || strcmp(name, sought->name) != 0)
        return false;
    file = dwarf_decl_file(origin);
    return dwarf_decl_line(origin, &line) == 0 && line == sought->line && file && sought->file &&
           strcmp(file, sought->file) == 0;
}

static bool origin_of(Dwarf_Die *die, Dwarf_Die *origin)
{
    Dwarf_Attribute attribute;

    return dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
           dwarf_formref_die(&attribute, origin);
}

/* DW_AT_call_file counts in the line table of the unit. */
static const char *call_file(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number;
    Dwarf_Files *files;
    Dwarf_Die unit;

    if (!dwarf_attr(die, DW_AT_call_file, &attribute) ||
        dwarf_formudata(&attribute, &number) != 0 || !dwarf_diecu(die, &unit, NULL, NULL) ||
        dwarf_getsrcfiles(&unit, &files, NULL) != 0)
        return NULL;
    return base_name(dwarf_filesrc(files, number, NULL, NULL));
}

static void note(struct sought *sought, Dwarf_Die *function, Dwarf_Die *call)
{
    const char *name = dwarf_diename(function), *file = call_file(call);
    Dwarf_Attribute attribute;
    Dwarf_Word line = 0;
    char *place;

    if (dwarf_attr(call, DW_AT_call_line, &attribute))
        dwarf_formudata(&attribute, &line);
    place =
        format_text("%s (%s:%llu)", name ? name : "?", file ? file : "?", (unsigned long long)line);
    for (size_t i = 0; i < sought->count; i++)
        if (strcmp(sought->places[i], place) == 0) {
            free(place);
            return;
        }
    sought->places = reallocate(sought->places, (sought->count + 1) * sizeof(char *));
    sought->places[sought->count++] = place;
}

static bool holds_code(int tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
           tag == DW_TAG_catch_block || tag == DW_TAG_namespace || tag == DW_TAG_inlined_subroutine;
}

/* An abstract instance is no code: what is inlined in it shows again in the concrete ones. */
static bool is_abstract(Dwarf_Die *die, int tag)
{
    return tag == DW_TAG_subprogram && dwarf_hasattr(die, DW_AT_inline) &&
           !dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges);
}

static void walk(struct sought *sought, Dwarf_Die *parent, Dwarf_Die *function, int depth)
{
    Dwarf_Die die, origin;

    if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
        return;
    do {
        int tag = dwarf_tag(&die);

        if (!holds_code(tag) || is_abstract(&die, tag))
            continue;
        if (tag == DW_TAG_inlined_subroutine && function && origin_of(&die, &origin) &&
            is_sought(sought, &origin))
            note(sought, function, &die);
        walk(sought, &die, tag == DW_TAG_subprogram ? &die : function, depth + 1);
    } while (!out_of_time(sought) && dwarf_siblingof(&die, &die) == 0);
}

/* The DIE of the function whose code begins at `address`, in units of the DWARF. */
static bool function_at(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *found, int depth)
{
    Dwarf_Addr entry;

    if (depth > 8 || dwarf_child(parent, found) != 0)
        return false;
    do {
        int tag = dwarf_tag(found);

        if (tag == DW_TAG_subprogram && dwarf_entrypc(found, &entry) == 0 && entry == address)
            return true;
        if (tag == DW_TAG_namespace) {
            Dwarf_Die inner;

            if (function_at(found, address, &inner, depth + 1)) {
                *found = inner;
                return true;
            }
        }
    } while (dwarf_siblingof(found, found) == 0);
    return false;
}

/* Only this unit can have it: neither linkage nor a header nor LTO makes it others'. */
static bool is_private(Dwarf_Die *function, Dwarf_Die *unit, const char *file)
{
    Dwarf_Attribute attribute;
    bool external = false;
    const char *name = base_name(dwarf_diename(unit));

    if (dwarf_attr_integrate(function, DW_AT_external, &attribute))
        dwarf_formflag(&attribute, &external);
    return !external && name && file && strcmp(name, base_name(file)) == 0;
}

static void walk_all(struct sought *sought, Dwarf *dwarf)
{
    Dwarf_Off offset = 0, next;
    Dwarf_Die unit;
    size_t head;

    while (!sought->late && dwarf_nextcu(dwarf, offset, &next, &head, NULL, NULL, NULL) == 0) {
        if (dwarf_offdie(dwarf, offset + head, &unit))
            walk(sought, &unit, NULL, 0);
        if (now_ms() >= sought->until)
            sought->late = true;
        offset = next;
    }
}

static char *told(struct sought *sought)
{
    char *text = NULL;

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
    sought->name = dwarf_diename(function);
    sought->file = dwarf_decl_file(function);
    return sought->name && sought->file && dwarf_decl_line(function, &sought->line) == 0;
}

char *inlined_into(struct debug_info *info, uint64_t address, unsigned budget)
{
    struct sought sought = {.until = now_ms() + budget};
    Dwarf_Addr bias;
    Dwarf_Die storage, function;
    Dwarf_Die *unit = debug_info_unit(info, address, &storage, &bias);

    if (!unit || !function_at(unit, address - bias, &function, 0))
        return NULL;
    if (!dwarf_hasattr_integrate(&function, DW_AT_inline)) /* its abstract instance would have it */
        return NULL;
    if (!seek(&sought, &function))
        return NULL;
    if (is_private(&function, unit, sought.file))
        walk(&sought, unit, NULL, 0);
    else
        walk_all(&sought, debug_info_dwarf(info, &bias));
    return told(&sought);
}

/* The abstract instance in a unit; those of a name space have symbols, or nobody asks for them. */
static bool abstract_in(Dwarf_Die *unit, const char *name, Dwarf_Die *found)
{
    if (dwarf_child(unit, found) != 0)
        return false;
    do {
        const char *called = is_abstract(found, dwarf_tag(found)) ? dwarf_diename(found) : NULL;

        if (called && strcmp(called, name) == 0)
            return true;
    } while (dwarf_siblingof(found, found) == 0);
    return false;
}

char *inlined_everywhere(struct debug_info *info, const char *name, unsigned budget)
{
    struct sought sought = {.until = now_ms() + budget};
    Dwarf_Addr bias;
    Dwarf *dwarf = debug_info_dwarf(info, &bias);
    Dwarf_Off offset = 0, next;
    Dwarf_Die unit, function;
    size_t head;
    char *into;

    while (dwarf && now_ms() < sought.until &&
           dwarf_nextcu(dwarf, offset, &next, &head, NULL, NULL, NULL) == 0) {
        if (dwarf_offdie(dwarf, offset + head, &unit) && abstract_in(&unit, name, &function) &&
            seek(&sought, &function)) {
            if (is_private(&function, &unit, sought.file))
                walk(&sought, &unit, NULL, 0);
            else
                walk_all(&sought, dwarf);
            into = told(&sought);
            return into ? into : format_text("%s", "");
        }
        offset = next;
    }
    return NULL;
}
