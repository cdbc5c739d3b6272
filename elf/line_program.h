/*
 * line_program.h - writes the line number table of an object anew, with other lines: DWARF 5, section 6.2, and DWARF 2 to 4.
 *
 * The table is outside input: each read is checked. What is not understood fails, and leaves the caller's bytes as they are.
 * Compiled into the command alone; one thread.
 */
#ifndef HOTPATCH_LINE_PROGRAM_H
#define HOTPATCH_LINE_PROGRAM_H

#include "elf/line_map.h"
#include "elf/rel_object.h"

enum { LINE_FILE_OTHER = -1 };

/* A relocation of the new table. */
struct line_relocation {
    uint64_t offset;
    size_t like; /* index of the old relocation that it is but for the offset */
};

struct line_table {
    uint8_t *bytes; /* malloc'd */
    size_t size;
    struct line_relocation *relocations; /* as many as before, ascending; malloc'd */
    int *
        roles; /* by number of a file: the index of its name in the map, or LINE_FILE_OTHER; malloc'd */
    size_t file_count; /* of roles */
};

/*
 * Make a table in which rows of files with the map's names are rows of the source, with the map's lines; the entries of these
 * files are entries of the source. The section, .debug_line, has one table alone. Return 0, or -1: the table is not understood,
 * or there is no memory.
 */
int line_program_rewrite(struct line_table *table, const struct rel_object *object,
                         uint32_t section, const struct line_map *map);
void line_table_free(struct line_table *table);

#endif
