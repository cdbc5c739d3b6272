/*
 * unit_pair.h - one compiled file of an edit: its unedited and its edited object.
 */
#ifndef HOTPATCH_UNIT_PAIR_H
#define HOTPATCH_UNIT_PAIR_H

struct baseline;
struct object_dwarf;
struct rel_object;

/* One compiled file. A new file has no old half: `old_object`, `baseline` and `old_dwarf` are NULL. A half without
 * debug information has no DWARF: NULL. All of it outlives the selection. */
struct unit_pair {
    const char *source; /* the file's name as the compile command has it */
    const struct rel_object *old_object, *new_object;
    const struct baseline *baseline;
    struct object_dwarf *old_dwarf, *new_dwarf;
};

#endif
