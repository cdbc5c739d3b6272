/* dwarf_units.c - see dwarf_units.h. */
#include "cli/debug/dwarf_units.h"

#include <dwarf.h>

Dwarf_Die *debug_unit_whole(Dwarf_Die *unit, Dwarf_Die *split)
{
    uint8_t type;

    *split = (Dwarf_Die){0};
    if (dwarf_cu_info(unit->cu, NULL, &type, NULL, split, NULL, NULL, NULL) == 0 &&
        type == DW_UT_skeleton && split->addr)
        return split;
    return unit;
}

Dwarf_Die *debug_unit_next(Dwarf *dwarf, Dwarf_CU **last, Dwarf_Die *unit, Dwarf_Die *split)
{
    uint8_t type = 0;

    do {
        *split = (Dwarf_Die){0};
        if (dwarf_get_units(dwarf, *last, last, NULL, &type, unit, split) != 0)
            return NULL;
    } while (type != DW_UT_compile && type != DW_UT_partial && type != DW_UT_skeleton);
    return type == DW_UT_skeleton && split->addr ? split : unit;
}

bool debug_next_sibling(Dwarf_Die *die)
{
    const char *before = die->addr;

    return dwarf_siblingof(die, die) == 0 && (const char *)die->addr > before;
}

const char *debug_decl_file(Dwarf_Die *die)
{
    const char *name = dwarf_decl_file(die);
    Dwarf_Attribute attribute;
    Dwarf_Word number;
    Dwarf_Half version = 0;
    Dwarf_Files *files;
    Dwarf_Die unit;
    size_t count;

    if (name || !dwarf_attr_integrate(die, DW_AT_decl_file, &attribute) ||
        dwarf_formudata(&attribute, &number) != 0 || number != 0 ||
        !dwarf_cu_die(attribute.cu, &unit, &version, NULL, NULL, NULL, NULL, NULL) || version < 5 ||
        dwarf_getsrcfiles(&unit, &files, &count) != 0 || count == 0)
        return name;
    return dwarf_filesrc(files, 0, NULL, NULL);
}
