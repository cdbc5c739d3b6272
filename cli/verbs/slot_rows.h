/* slot_rows.h - what the lists of slots of a process and of a file share: which slots are listed, how they are
 * named, and the notes about each. */
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
/* Return whether GLOB is for C++ names. Such a pattern matches no symbol. */
bool slot_glob_is_cxx(const char *glob);
/* Return whether `name`, or its C++ name, matches. NULL matches all. */
bool slot_wished(const char *glob, const char *name);
/* Add the name as a person types it to load: a C++ name in words, a static function with its file. */
void slot_name_cell(struct text_table *table, const char *name, const char *file);

/* The technique by which entries are patched, or would be: whether there are any, a cell of the table, and the
 * share of each, which is printed after it. */
bool slot_techniques_exist(struct json_object *slots);
void slot_technique_cell(struct text_table *table, struct json_object *slot);
void slot_techniques_print(struct json_object *slots);
struct json_object *slot_techniques_json(struct json_object *slots);

/* The notes: damage and uprobe_safe of an armed entry, and the members same_code, clones and inlined_into of its
 * JSON. */
/* Return "a keeping stub keeps: rcx, rdx", malloc'd; NULL: there is none. */
char *slot_kept(struct json_object *slot);
bool slot_notes_exist(struct json_object *slots);
void slot_notes_cell(struct text_table *table, struct json_object *slot);
/* Add inlined_into to an entry, from the debug information of the object at `path`; until `until`
 * (CLOCK_MONOTONIC, ms). */
void slot_add_inlined(struct json_object *slot, struct lookup *lookup, const char *path,
                      uint64_t until);

#endif
