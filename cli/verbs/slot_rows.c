/* slot_rows.c - see slot_rows.h. */
#include "cli/verbs/slot_rows.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/cxx_name.h"
#include "cli/session/reply.h"
#include "cli/verbs/technique_share.h"

const char *text_or_dash(const char *text)
{
    return text && *text ? text : "-";
}

bool slot_glob_is_cxx(const char *glob)
{
    return glob && (strstr(glob, "::") || strpbrk(glob, "(<~ "));
}

bool slot_wished(const char *glob, const char *name)
{
    char *words;
    bool result = !glob || fnmatch(glob, name, 0) == 0;

    if (result || !slot_glob_is_cxx(glob) || !(words = cxx_demangled(name)))
        return result;
    result = fnmatch(glob, words, 0) == 0;
    free(words);
    return result;
}

void slot_name_cell(struct text_table *table, const char *name, const char *file)
{
    char *words = cxx_demangled(name);

    table_cell(table, "%s%s%s", words ? words : name, file && *file ? "@" : "", file ? file : "");
    free(words);
}

/* ------------------------------------------------------------- techniques --- */

bool slot_techniques_exist(struct json_object *slots)
{
    return technique_share_of(slots).functions > 0;
}

void slot_technique_cell(struct text_table *table, struct json_object *slot)
{
    table_cell(table, "%s", text_or_dash(json_text(slot, "technique")));
}

struct json_object *slot_techniques_json(struct json_object *slots)
{
    struct technique_share share = technique_share_of(slots);

    return technique_share_json(&share);
}

void slot_techniques_print(struct json_object *slots)
{
    struct technique_share share = technique_share_of(slots);
    char *text;

    if (share.functions < 2)
        return;
    text = technique_share_text(&share);
    printf("\n%zu entries: %s\n", share.functions, text);
    free(text);
}

/* ------------------------------------------------------------------ notes --- */

char *slot_kept(struct json_object *slot)
{
    struct json_object *keeps = json_list(slot, "keeps");
    char *text = NULL;

    for (size_t i = 0; i < json_length(keeps); i++) {
        const char *name = json_object_get_string(json_item(keeps, i));
        char *longer = format_text(
            "%s%s%s", text ? text : "a keeping stub keeps: ", text ? ", " : "", name ? name : "");

        free(text);
        text = longer;
    }
    return text;
}

static char *add_note(char *text, const char *words, const char *value)
{
    char *longer = format_text("%s%s%s%s", text ? text : "", text ? "; " : "", words, value);

    free(text);
    return longer;
}

/* Add notes about what other tools have written at an armed entry, or would do there. */
static char *add_bytes_notes(char *text, struct json_object *slot)
{
    struct json_object *damage = NULL, *safe = NULL;

    if (json_object_object_get_ex(slot, "damage", &damage))
        text = add_note(text, "damaged: ", json_text(damage, "text"));
    if (json_object_object_get_ex(slot, "uprobe_safe", &safe) && safe &&
        !json_object_get_boolean(safe))
        text = add_note(text, "not safe beside uprobes", "");
    return text;
}

/* Return notes about the bytes of an entry, code that it shares and copies of it; malloc'd or NULL. */
static char *notes_of(struct json_object *slot)
{
    static const struct {
        const char *key, *words;
    } notes[] = {{"same_code", "same code: "},
                 {"clones", "keep the old code: "},
                 {"inlined_into", "inlined into: "}};
    char *text = add_bytes_notes(slot_kept(slot), slot);

    for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
        const char *value = json_text(slot, notes[i].key);

        if (*value)
            text = add_note(text, notes[i].words, value);
    }
    if (json_true(slot, "patchable") && *json_text(slot, "why"))
        text = add_note(text, json_text(slot, "why"), "");
    return text;
}

bool slot_notes_exist(struct json_object *slots)
{
    bool has = false;

    for (size_t i = 0; i < json_length(slots) && !has; i++) {
        char *notes = notes_of(json_item(slots, i));

        has = notes != NULL;
        free(notes);
    }
    return has;
}

void slot_notes_cell(struct text_table *table, struct json_object *slot)
{
    char *notes = notes_of(slot);

    table_cell(table, "%s", text_or_dash(notes));
    free(notes);
}

void slot_add_inlined(struct json_object *slot, struct lookup *lookup, const char *path,
                      uint64_t until)
{
    struct json_object *offset;
    char *into;

    if (strcmp(json_text(slot, "kind"), "entry") != 0 ||
        !json_object_object_get_ex(slot, "offset", &offset))
        return;
    into = lookup_copies(lookup, path, (uint64_t)json_object_get_int64(offset), until);
    if (into)
        document_add_text(slot, "inlined_into", into);
    free(into);
}
