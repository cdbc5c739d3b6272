/* program_functions.c - see program_functions.h. */
#include "cli/verbs/program_functions.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base_name.h"
#include "cli/debug/file_functions.h"
#include "cli/debug/file_image.h"
#include "cli/debug/program_code.h"
#include "cli/output/output.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/verbs/function_rows.h"

/* ------------------------------------------------------------------- file --- */

/* Return whether the name of the program still leads to its file: the process uses that name. */
static bool is_named_file(const struct process *process, const char *link)
{
    struct stat named, real;

    return process->exe && !process->foreign_root && !process->hidden_root &&
           stat(process->exe, &named) == 0 && stat(link, &real) == 0 &&
           named.st_dev == real.st_dev && named.st_ino == real.st_ino;
}

/* Open the program. One that was started as an argument of ld.so is not what the link names: ld.so has no
 * PT_INTERP. */
static bool open_program_file(struct file_image *file, struct file_functions *functions,
                              const struct process *process, struct json_object *written)
{
    struct refusal ignored = {0};
    char link[64];
    bool opened;

    snprintf(link, sizeof(link), "/proc/%d/exe", process->view);
    opened = is_named_file(process, link) && file_image_open(file, link, 0, &ignored) == 0;
    opened = opened && image_interpreter(file->image) && !image_has_textrel(file->image) &&
             program_code_unchanged(process, file, written) &&
             file_functions_open(functions, file, link, &ignored) == 0;
    refusal_clear(&ignored);
    return opened;
}

/* ------------------------------------------------------------------- rows --- */

struct rows {
    struct file_functions functions;
    struct json_object *slots; /* the process's own */
    struct json_object *list;  /* new ones */
    const char *object, *path;
    const char **imported; /* in order */
    size_t imported_count;
    uint64_t *known; /* where functions begin that are slots, in order */
    size_t known_count;
    bool indirect;
};

/* Return true for every name, until the list is of no use: the command is to end, or there is an indirect function. Then
 * the process is asked. */
static bool any_name(const char *name, void *context)
{
    const struct rows *rows = context;

    (void)name;
    return !client_interrupted() && !rows->indirect;
}

static int by_import_name(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

static int by_entry_address(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Collect the names of the imports that are defined in the program. */
static void note_own_imports(struct rows *rows)
{
    size_t count = json_length(rows->slots);

    rows->imported = allocate((count + 1) * sizeof(*rows->imported));
    for (size_t i = 0; i < count; i++) {
        struct json_object *slot = json_item(rows->slots, i);

        if (json_true(slot, "patchable") &&
            strcmp(json_text(slot, "definition"), rows->object) == 0)
            rows->imported[rows->imported_count++] = json_text(slot, "name");
    }
    qsort(rows->imported, rows->imported_count, sizeof(*rows->imported), by_import_name);
}

/* Return how the reason begins where exactly one import has that name, as loader/slots/function_list.c does; or
 * NULL. */
static const char *import_only(const struct rows *rows, const char *name)
{
    const char **found = bsearch(&name, rows->imported, rows->imported_count,
                                 sizeof(*rows->imported), by_import_name);
    const char **end = rows->imported + rows->imported_count;

    if (!found || (found > rows->imported && strcmp(found[-1], name) == 0) ||
        (found + 1 < end && strcmp(found[1], name) == 0))
        return NULL;
    return "only calls through imports switch: ";
}

static void program_row_add(const struct function *function, const char *name,
                            const struct function_code *code, void *context)
{
    struct rows *rows = context;
    struct function_row row = {function, name, code, rows->object, rows->path, NULL};

    rows->indirect |= function->ifunc;
    if (rows->indirect || bsearch(&function->address, rows->known, rows->known_count,
                                  sizeof(*rows->known), by_entry_address))
        return;
    if (code->problem && function->name)
        row.import_only = import_only(rows, function->name);
    json_object_array_add(rows->list, function_row_new(&rows->functions, &row));
}

/* Collect where functions that are slots begin. False: the program declares slots, whose stubs are not in the
 * list. */
static bool note_known(struct rows *rows)
{
    size_t count = json_length(rows->slots);

    rows->known = allocate((count + 1) * sizeof(*rows->known));
    for (size_t i = 0; i < count; i++) {
        struct json_object *slot = json_item(rows->slots, i);
        const char *kind = json_text(slot, "kind");

        if (strcmp(kind, "declared") == 0)
            return false;
        if (strcmp(kind, "entry") == 0 && strcmp(json_text(slot, "object_path"), rows->path) == 0)
            rows->known[rows->known_count++] = (uint64_t)json_integer(slot, "offset", 0);
    }
    qsort(rows->known, rows->known_count, sizeof(*rows->known), by_entry_address);
    return true;
}

bool program_functions_add(const struct process *process, struct json_object *reply)
{
    struct json_object *slots = json_list(reply, "slots");
    struct rows rows = {.slots = slots, .list = json_object_new_array(), .path = process->exe};
    struct file_image file = {0};
    bool added = false;

    if (slots && process->exe && note_known(&rows) &&
        open_program_file(&file, &rows.functions, process, json_list(reply, "written"))) {
        const char *soname = image_soname(file.image);

        rows.object = soname ? soname : base_name(process->exe);
        note_own_imports(&rows);
        file_functions_each(&rows.functions, rows.object, any_name, program_row_add, &rows);
        added = !rows.indirect && !client_interrupted();
    }
    for (size_t i = 0; added && i < json_length(rows.list); i++)
        json_object_array_add(slots, json_object_get(json_item(rows.list, i)));
    json_object_put(rows.list);
    free(rows.imported);
    free(rows.known);
    file_functions_close(&rows.functions);
    file_image_close(&file);
    return added;
}
