/*
 * object_lines.h - a relocatable object whose debug information has the lines of an edited source (line_map.h).
 *
 * Compiled into the command alone; one thread.
 */
#ifndef HOTPATCH_OBJECT_LINES_H
#define HOTPATCH_OBJECT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "elf/line_map.h"

/* Return a copy of the object in `*bytes` that has the lines of the map, malloc'd, in its place, which is freed; -1: the object
 * stays as it is, since its line number table is not understood. Code and data are the same. */
int object_lines_change(char **bytes, size_t *size, const struct line_map *map);

#endif
