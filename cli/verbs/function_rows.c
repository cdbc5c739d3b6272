/* function_rows.c - see function_rows.h. */
#include "cli/verbs/function_rows.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "base/slot_names.h"
#include "cli/output/output.h"
#include "cli/session/reply.h"

static void add_list(struct json_object *entry, const char *key,
                     const struct function_copies *copies, const struct function *function,
                     bool clones)
{
    char list[300];

    function_copies_list(copies, function->address, function->name, clones, list, sizeof(list));
    if (*list)
        document_add_text(entry, key, list);
}

static void add_copies(struct json_object *entry, struct file_functions *functions,
                       const struct function *function)
{
    const struct function_copies *copies = file_function_copies(functions);

    if (!copies || function->ifunc)
        return;
    add_list(entry, "same_code", copies, function, false);
    add_list(entry, "clones", copies, function, true);
}

static void add_judgement(struct json_object *entry, const struct function_row *row)
{
    const char *problem = row->code->problem;
    char *text = NULL;

    if (problem && row->import_only)
        text = format_text("%s%s", row->import_only, problem);
    document_add_text(entry, "technique", row->code->technique);
    document_add_bool(entry, "patchable", !problem || text);
    document_add_text(entry, "why", text ? text : problem);
    free(text);
}

struct json_object *function_row_new(struct file_functions *functions,
                                     const struct function_row *row)
{
    struct json_object *entry = json_object_new_object();

    document_add_text(entry, "name", row->name);
    document_add_text(entry, "kind", slot_kind_name(SLOT_ENTRY));
    document_add_text(entry, "type", "function");
    document_add_text(entry, "object", row->object);
    if (row->object_path)
        document_add_text(entry, "object_path", row->object_path);
    document_add_text(entry, "file", row->function->file);
    document_add_text(entry, "symbol_version", row->function->version);
    document_add_number(entry, "offset", (long long)row->function->address);
    document_add_number(entry, "size", (long long)row->function->size);
    if (row->object_path)
        document_add_bool(entry, "armed", false);
    add_judgement(entry, row);
    add_copies(entry, functions, row->function);
    if (row->object_path)
        json_object_object_add(entry, "layers", json_object_new_array());
    return entry;
}
