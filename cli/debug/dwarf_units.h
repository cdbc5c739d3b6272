/*
 * dwarf_units.h - the compile units of DWARF, those of split DWARF among them (DWARF 5, 3.1.2 and 7.3.2).
 */
#ifndef HOTPATCH_DWARF_UNITS_H
#define HOTPATCH_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/* Return the next unit after `*last` (NULL: the first) that can hold code; of split DWARF the unit in the .dwo
 * file where libdw finds it. The result is `unit` or `split`; NULL: no more. */
Dwarf_Die *debug_unit_next(Dwarf *dwarf, Dwarf_CU **last, Dwarf_Die *unit, Dwarf_Die *split);
/* Return the unit itself, or the split unit of a skeleton unit (DWARF 5, 3.1.2). */
Dwarf_Die *debug_unit_whole(Dwarf_Die *unit, Dwarf_Die *split);

/* Move to the next sibling. False: it was the last; or damaged DWARF leads backwards. */
bool debug_next_sibling(Dwarf_Die *die);

/* Return the file of the DIE's declaration (DW_AT_decl_file), or NULL. dwarf_decl_file(3) of elfutils 0.188 takes the number
 * 0, which clang writes in DWARF 5, for none. */
const char *debug_decl_file(Dwarf_Die *die);

#endif
