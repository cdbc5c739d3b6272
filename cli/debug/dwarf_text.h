/*
 * dwarf_text.h - the strings of DWARF, which end where their section ends at the latest.
 *
 * libdw of elfutils 0.188 tests where a string begins; a damaged file may have no end of it before the section's.
 */
#ifndef HOTPATCH_DWARF_TEXT_H
#define HOTPATCH_DWARF_TEXT_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/* Tell whether all strings of the DWARF, and of the file that dwz(1) shares among several, lie in sections that end with a
 * string's end, or in units that end in their section. Other DWARF is damaged: its strings are not to be read. */
bool debug_texts_end(Dwarf *dwarf);

/* Return the string (in libdw's memory), or NULL: none, or it has no end. For DWARF of which debug_texts_end() is true. */
const char *debug_text(Dwarf_Attribute *attribute);
/* Return DW_AT_name, DW_AT_linkage_name: the DIE's own or that of the DIE that it completes; or NULL. */
const char *debug_die_name(Dwarf_Die *die);
const char *debug_linkage_name(Dwarf_Die *die);

#endif
