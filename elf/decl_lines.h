/*
 * decl_lines.h - changes the lines of declarations in the debug information of an object: DWARF 2 to 5, DW_AT_decl_line and
 * DW_AT_call_line.
 *
 * Numbers are changed in their places. A line that does not fit there, and what is not understood, stays as it is.
 */
#ifndef HOTPATCH_DECL_LINES_H
#define HOTPATCH_DECL_LINES_H

#include "elf/line_program.h"

/* Change the lines in `bytes`, a copy of the object's file. The table is that of the object's .debug_line. */
void decl_lines_change(uint8_t *bytes, const struct rel_object *object,
                       const struct line_table *table, const struct line_map *map);

#endif
