/* slots_file.c - see slots_file.h. */
#include "cli/verbs/slots_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "base/slot_names.h"
#include "cli/debug/file_functions.h"
#include "cli/debug/file_image.h"
#include "cli/debug/file_slots.h"
#include "cli/output/clock.h"
#include "cli/session/reply.h"
#include "cli/verbs/function_rows.h"
#include "resolve/symbol_spec.h"

static bool wished(const struct file_slot *slot, const struct slot_wish *wish)
{
    const char *kind = slot_kind_name(slot->declared ? SLOT_DECLARED : SLOT_IMPORT);

    return (!wish->kind || strcmp(kind, wish->kind) == 0) && slot_wished(wish->match, slot->name);
}

static void add_file_row(struct text_table *table, const struct file_slot *slot, const char *object)
{
    table_cell(table, "%s", slot->name);
    table_cell(table, "%s", slot_kind_name(slot->declared ? SLOT_DECLARED : SLOT_IMPORT));
    table_cell(table, "%s", slot_type_name(slot->kind));
    table_cell(table, "%s", object);
    if (slot->why)
        table_cell(table, "no: %s", slot->why);
    else
        table_cell(table, "%s", text_or_dash(slot->declared ? slot->signature : slot->version));
}

struct function_rows {
    const struct slot_wish *wish;
    const char *object;
    struct json_object *list;
    struct file_functions functions;
    struct lookup *lookup;
    const char *path;
    uint64_t until;
};

static bool name_wished(const char *name, void *context)
{
    const struct function_rows *rows = context;

    return slot_wished(rows->wish->match, name);
}

static void add_function_row(struct text_table *table, struct json_object *function,
                             bool with_techniques, bool with_notes)
{
    slot_name_cell(table, json_text(function, "name"), json_text(function, "file"));
    table_cell(table, "%s", slot_kind_name(SLOT_ENTRY));
    table_cell(table, "function");
    table_cell(table, "%s", json_text(function, "object"));
    if (!json_true(function, "patchable"))
        table_cell(table, "no: %s", json_text(function, "why"));
    else
        table_cell(table, "%s", text_or_dash(json_text(function, "symbol_version")));
    if (with_techniques)
        slot_technique_cell(table, function);
    if (with_notes)
        slot_notes_cell(table, function);
}

static void entry_row_add(const struct function *function, const char *name,
                          const struct function_code *code, void *context)
{
    struct function_rows *rows = context;
    const struct function_row row = {function, name, code, rows->object, NULL, NULL};
    struct json_object *entry = function_row_new(&rows->functions, &row);

    if (!function->ifunc)
        slot_add_inlined(entry, rows->lookup, rows->path, rows->until);
    json_object_array_add(rows->list, entry);
}

static void add_file_json(struct json_object *list, const struct file_slot *slot,
                          const char *object, const char *name_space)
{
    struct json_object *entry = json_object_new_object();

    document_add_text(entry, "name", slot->name);
    document_add_text(entry, "kind", slot_kind_name(slot->declared ? SLOT_DECLARED : SLOT_IMPORT));
    document_add_text(entry, "type", slot_type_name(slot->kind));
    document_add_text(entry, "object", object);
    document_add_text(entry, "namespace", slot->declared ? name_space : NULL);
    document_add_text(entry, "signature", slot->signature);
    document_add_text(entry, "symbol_version", slot->version);
    document_add_number(entry, "words", (long long)slot->words);
    document_add_bool(entry, "patchable", !slot->why);
    document_add_text(entry, "why", slot->why);
    json_object_array_add(list, entry);
}

static int add_functions(const char *path, const struct file_image *file,
                         struct function_rows *rows, struct refusal *why)
{
    int result = file_functions_open(&rows->functions, file, path, why);

    rows->lookup = lookup_open(NULL, 0, why);
    rows->path = path;
    rows->until = now_ms() + SLOT_INLINED_TIME;
    if (result == 0 && rows->lookup) {
        lookup_file(rows->lookup, path);
        file_functions_each(&rows->functions, rows->object, name_wished, entry_row_add, rows);
    }
    lookup_close(rows->lookup);
    file_functions_close(&rows->functions);
    return result;
}

static void print_file_table(const struct file_slots *slots, struct json_object *functions,
                             const struct slot_wish *wish, const char *object)
{
    static const char *const head[] = {"NAME", "KIND", "TYPE", "OBJECT", "SIGNATURE OR VERSION"};
    enum { HEAD = sizeof(head) / sizeof(head[0]) };
    bool techniques = slot_techniques_exist(functions), notes = slot_notes_exist(functions);
    struct text_table table = {.columns = HEAD + techniques + notes};

    for (size_t i = 0; i < HEAD; i++)
        table_cell(&table, "%s", head[i]);
    if (techniques)
        table_cell(&table, "TECHNIQUE");
    if (notes)
        table_cell(&table, "NOTES");
    for (size_t i = 0; i < slots->count; i++)
        if (wished(&slots->list[i], wish)) {
            add_file_row(&table, &slots->list[i], object);
            if (techniques)
                table_cell(&table, "-");
            if (notes)
                table_cell(&table, "-");
        }
    for (size_t i = 0; i < json_length(functions); i++)
        add_function_row(&table, json_item(functions, i), techniques, notes);
    table_print(&table, stdout);
    slot_techniques_print(functions);
    table_free(&table);
}

static void print_file_json(const char *path, const struct file_image *file,
                            const struct file_slots *slots, struct json_object *functions,
                            const struct slot_wish *wish, const char *object)
{
    struct json_object *document = document_new("slots"), *list = json_object_new_array();
    const char *name_space = slots->name_space ? slots->name_space : object;

    for (size_t i = 0; i < slots->count; i++)
        if (wished(&slots->list[i], wish))
            add_file_json(list, &slots->list[i], object, name_space);
    for (size_t i = 0; i < json_length(functions); i++)
        json_object_array_add(list, json_object_get(json_item(functions, i)));
    document_add_text(document, "file", path);
    document_add_text(document, "build_id", image_build_id(file->image));
    json_object_object_add(document, "slots", list);
    if (slot_techniques_exist(functions))
        json_object_object_add(document, "techniques", slot_techniques_json(functions));
    document_print(document, 0);
    json_object_put(document);
}

static int print_file(const char *path, const struct file_image *file,
                      const struct file_slots *slots, const struct slot_wish *wish)
{
    struct refusal why = {0};
    const char *base = base_name(path);
    struct function_rows rows = {.wish = wish, .object = base, .list = json_object_new_array()};
    int exit_code = 0;

    if (slot_kind_asked(wish->kind, SLOT_ENTRY) && add_functions(path, file, &rows, &why) != 0)
        exit_code = refused("slots", 0, &why, wish->json);
    else if (wish->json)
        print_file_json(path, file, slots, rows.list, wish, base);
    else
        print_file_table(slots, rows.list, wish, base);
    json_object_put(rows.list);
    return exit_code;
}

/* Return what is wished of the file: nothing, where OBJECT is another one. */
static const struct slot_wish *file_wish(const struct slot_wish *wish, const char *path,
                                         const struct file_image *file,
                                         const struct file_slots *slots)
{
    static struct slot_wish nothing;
    struct symbol_spec target = {0};

    if (!wish->object)
        return wish;
    snprintf(target.object, sizeof(target.object), "%s", wish->object);
    if (symbol_spec_object_matches(&target, true, path, image_soname(file->image),
                                   slots->name_space))
        return wish;
    nothing = (struct slot_wish){.match = "", .kind = wish->kind, .json = wish->json};
    return &nothing;
}

int slots_of_file(const char *path, const struct slot_wish *wish)
{
    struct refusal why = {0};
    struct file_image file;
    struct file_slots slots;
    int exit_code = 0;

    if (file_image_open(&file, path, 0, &why) != 0)
        return refused("slots", 0, &why, wish->json);
    if (file_slots_read(file.image, path, &slots, &why) != 0)
        exit_code = refused("slots", 0, &why, wish->json);
    else
        exit_code = print_file(path, &file, &slots, file_wish(wish, path, &file, &slots));
    file_slots_free(&slots);
    file_image_close(&file);
    return exit_code;
}
