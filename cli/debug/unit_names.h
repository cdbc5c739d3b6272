/*
 * unit_names.h - the source files that a binary's debug information names: DW_AT_comp_dir and DW_AT_name of its units.
 */
#ifndef HOTPATCH_UNIT_NAMES_H
#define HOTPATCH_UNIT_NAMES_H

#include <stddef.h>

struct unit_name {
    char *directory; /* "" where it is not known */
    char *name;      /* as the compiler's command spelled it */
};

struct unit_names {
    struct unit_name *list;
    size_t count;
};

/* Read those of the open file; none where it has no debug information. libdw reads the file itself: see main.c, SIGBUS. */
void unit_names_read(struct unit_names *names, int file);
void unit_names_free(struct unit_names *names);

#endif
