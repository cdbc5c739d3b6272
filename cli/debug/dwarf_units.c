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
