/*
 * slot_rows.h - what the lists of slots of a process and of a file have in common: which slots are
 * listed, how they are named, and what is noted of each.
 */
#ifndef HOTPATCH_SLOT_ROWS_H
#define HOTPATCH_SLOT_ROWS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/debug/lookup.h"
#include "cli/output/output.h"

#define SLOT_INLINED_TIME 2000 /* ms for the inlined copies of all functions that are listed */

struct slot_wish {
    char *object;      /* of a pattern OBJECT:GLOB; NULL: of any */
    const char *match; /* NULL: all */
    const char *kind;
    bool json;
};

const char *text_or_dash(const char *text);
/* Does GLOB speak of names in words? Such a pattern matches no symbol. */
bool slot_glob_is_cxx(const char *glob);
/* Does `name`, or what it is in C++, match? NULL matches all. */
bool slot_wished(const char *glob, const char *name);
/* As a person types it to load: C++ names in words, static functions with their file. */
void slot_name_cell(struct text_table *table, const char *name, const char *file);

/* The technique by which entries are patched, or would be: whether there are any, a cell of the table,
 * and the share of each, which is printed behind it. */
bool slot_techniques_exist(struct json_object *slots);
void slot_technique_cell(struct text_table *table, struct json_object *slot);
void slot_techniques_print(struct json_object *slots);
struct json_object *slot_techniques_json(struct json_object *slots);

/* The cell says what others have written at an armed entry (damage, uprobe_safe), which code a function shares and where there is more of it: the members same_code,
 * clones and inlined_into of its JSON. */
/* "a keeping stub keeps: rcx, rdx", malloc'd; NULL: there is none. */
char *slot_kept(struct json_object *slot);
bool slot_notes_exist(struct json_object *slots);
void slot_notes_cell(struct text_table *table, struct json_object *slot);
/* Add inlined_into to an entry, from the debug information of the object at `path`; until `until`
 * (CLOCK_MONOTONIC, ms). */
void slot_add_inlined(struct json_object *slot, struct lookup *lookup, const char *path,
                      uint64_t until);

#endif
