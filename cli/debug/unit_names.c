/* unit_names.c - see unit_names.h. */
#include "cli/debug/unit_names.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/dwarf_text.h"
#include "cli/output/output.h"

static const char *unit_text(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    const char *text = debug_text(dwarf_attr(die, name, &attribute));

    return text ? text : "";
}

static void add_unit_name(struct unit_names *names, Dwarf_Die *die)
{
    if ((names->count & (names->count - 1)) == 0)
        names->list =
            reallocate(names->list, (names->count ? names->count * 2 : 1) * sizeof(*names->list));
    names->list[names->count++] = (struct unit_name){
        .directory = format_text("%s", unit_text(die, DW_AT_comp_dir)),
        .name = format_text("%s", unit_text(die, DW_AT_name)),
    };
}

void unit_names_read(struct unit_names *names, int file)
{
    Dwarf *dwarf = dwarf_begin(file, DWARF_C_READ);
    bool sound = dwarf && debug_texts_end(dwarf);
    Dwarf_CU *last = NULL;
    Dwarf_Die unit;
    uint8_t type;

    memset(names, 0, sizeof(*names));
    while (sound && dwarf_get_units(dwarf, last, &last, NULL, &type, &unit, NULL) == 0)
        if (type == DW_UT_compile || type == DW_UT_skeleton)
            add_unit_name(names, &unit);
    dwarf_end(dwarf);
}

void unit_names_free(struct unit_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i].directory);
        free(names->list[i].name);
    }
    free(names->list);
    memset(names, 0, sizeof(*names));
}
