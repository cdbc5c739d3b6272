/* verb_slots.c - hotpatch slots: what can be patched in a process or a file. */
#include <fnmatch.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "ask.h"
#include "cxx_name.h"
#include "file_functions.h"
#include "file_image.h"
#include "file_slots.h"
#include "output.h"
#include "request.h"
#include "target.h"
#include "verbs.h"

static const char help[] =
    "hotpatch slots PID|@NAME|FILE [[OBJECT:]GLOB]\n"
    "\n"
    "Lists what can be patched and has a name that matches GLOB: functions and data that are\n"
    "declared with hotpatch.h; imported functions, with the object that defines them and those\n"
    "that import them; and every other function, by its entry. Without GLOB and --kind those of\n"
    "a process are the program's own, with either those of every library too. What cannot be\n"
    "patched is listed with the reason. Calls through a function pointer that the program copied\n"
    "before the switch do not go through an import slot; they do reach an entry.\n"
    "\n"
    "    --kind=declared|import|entry    only these\n"
    "    --json                          print as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"kind", required_argument, NULL, OPTION_KIND},
    END_OF_OPTIONS,
};

struct wish {
    char *object;      /* of a pattern OBJECT:GLOB; NULL: of any */
    const char *match; /* NULL: all */
    const char *kind;
    bool json;
};

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* Does GLOB speak of names in words? Such a pattern matches no symbol. */
static bool is_cxx(const char *glob)
{
    return glob && (strstr(glob, "::") || strpbrk(glob, "(<~ "));
}

static bool matches(const char *glob, const char *name)
{
    char *words;
    bool result = !glob || fnmatch(glob, name, 0) == 0;

    if (result || !is_cxx(glob) || !(words = cxx_demangled(name)))
        return result;
    result = fnmatch(glob, words, 0) == 0;
    free(words);
    return result;
}

/* "OBJECT:GLOB": the colon is not half of a C++ "::". Without a GLOB all of the object's. */
static void split_object(struct wish *wish)
{
    const char *colon = wish->match ? strchr(wish->match, ':') : NULL;

    while (colon && colon[1] == ':')
        colon = strchr(colon + 2, ':');
    if (!colon || colon == wish->match)
        return;
    wish->object = format_text("%.*s", (int)(colon - wish->match), wish->match);
    wish->match = colon[1] ? colon + 1 : "*";
}

/* As a person types it to load: C++ names in words, static functions with their file. */
static void add_name(struct table *table, const char *name, const char *file)
{
    char *words = cxx_demangled(name);

    table_cell(table, "%s%s%s", words ? words : name, file && *file ? "@" : "", file ? file : "");
    free(words);
}

/* ---------------------------------------------------------------- process --- */

static bool is_import(struct json_object *slot)
{
    return strcmp(json_text(slot, "kind"), "import") == 0;
}

/* Their names, or how many they are. */
static void add_importers(struct table *table, struct json_object *importers)
{
    size_t count = json_length(importers);

    if (count == 0)
        table_cell(table, "-");
    else if (count == 1)
        table_cell(table, "%s", json_object_get_string(json_item(importers, 0)));
    else if (count == 2)
        table_cell(table, "%s, %s", json_object_get_string(json_item(importers, 0)),
                   json_object_get_string(json_item(importers, 1)));
    else
        table_cell(table, "%s and %zu more", json_object_get_string(json_item(importers, 0)),
                   count - 1);
}

static void add_live(struct table *table, struct json_object *slot, bool with_imports)
{
    add_name(table, json_text(slot, "name"), json_text(slot, "file"));
    table_cell(table, "%s", json_text(slot, "kind"));
    table_cell(table, "%s", json_text(slot, "type"));
    table_cell(table, "%s", json_text(slot, "object"));
    table_cell(table, "%s",
               *json_text(slot, "live_module") ? json_text(slot, "live_module") : "original");
    table_cell(table, "%lld", (long long)json_integer(slot, "version", 0));
    if (json_integer(slot, "unfilled", 0) > 0)
        table_cell(table, "%lld calls met no provider",
                   (long long)json_integer(slot, "unfilled", 0));
    else if (!json_true(slot, "patchable"))
        table_cell(table, "no: %s", or_dash(json_text(slot, "why")));
    else
        table_cell(table, "%s",
                   or_dash(json_text(slot, is_import(slot) ? "symbol_version" : "signature")));
    if (!with_imports)
        return;
    table_cell(table, "%s", or_dash(json_text(slot, "definition")));
    add_importers(table, json_list(slot, "importers"));
}

static void print_live(struct json_object *answer, const struct process *process)
{
    static const char *const head[] = {"NAME",    "KIND",      "TYPE",       "OBJECT",   "LIVE",
                                       "VERSION", "SIGNATURE", "DEFINITION", "IMPORTERS"};
    struct table table = {.columns = sizeof(head) / sizeof(head[0])};
    struct json_object *slots = json_list(answer, "slots");
    bool imports = false;

    (void)process;
    for (size_t i = 0; i < json_length(slots) && !imports; i++)
        imports = is_import(json_item(slots, i));
    table.columns -= imports ? 0 : 2;
    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < json_length(slots); i++)
        add_live(&table, json_item(slots, i), imports);
    table_print(&table, stdout);
    table_free(&table);
}

static bool is_of(const char *object, struct json_object *slot, const struct process *process)
{
    const char *path = json_text(slot, "object_path"), *slash = strrchr(path, '/');

    return !object || strcmp(object, json_text(slot, "object")) == 0 ||
           strcmp(object, json_text(slot, "namespace")) == 0 ||
           strcmp(object, slash ? slash + 1 : path) == 0 ||
           (strcmp(object, "exe") == 0 && process->exe && strcmp(path, process->exe) == 0);
}

static const struct wish *wish_now; /* in which there is what the process does not understand */

static void drop_others(struct json_object *answer, const struct process *process)
{
    struct json_object *slots = json_list(answer, "slots"), *kept = json_object_new_array();

    for (size_t i = 0; i < json_length(slots); i++) {
        struct json_object *slot = json_item(slots, i);

        if (matches(wish_now->match, json_text(slot, "name")) &&
            is_of(wish_now->object, slot, process))
            json_object_array_add(kept, json_object_get(slot));
    }
    if (slots)
        json_object_object_add(answer, "slots", kept);
    else
        json_object_put(kept);
}

static int slots_of_processes(const char *target, const struct wish *wish)
{
    bool cxx = is_cxx(wish->match);
    char *match = wire_encode(cxx ? "_Z*" : wish->match ? wish->match : "");
    char *keys = format_text("%s%s%s%s%s", wish->match ? "match=" : "", match,
                             wish->match && wish->kind ? " " : "", wish->kind ? "kind=" : "",
                             wish->kind ? wish->kind : "");
    struct order order = {
        .verb = "slots",
        .keys = keys,
        .timeout = REQUEST_TIMEOUT_DEFAULT,
        .amend = cxx || wish->object ? drop_others : NULL,
    };
    int exit_code;

    wish_now = wish;
    exit_code = order_run_on(target, &order, wish->json, print_live);

    free(keys);
    free(match);
    return exit_code;
}

/* ------------------------------------------------------------------- file --- */

static bool wished(const struct file_slot *slot, const struct wish *wish)
{
    const char *kind = slot->declared ? "declared" : "import";

    return (!wish->kind || strcmp(kind, wish->kind) == 0) && matches(wish->match, slot->name);
}

static void add_file_row(struct table *table, const struct file_slot *slot, const char *object)
{
    table_cell(table, "%s", slot->name);
    table_cell(table, "%s", slot->declared ? "declared" : "import");
    table_cell(table, "%s", slot_kind_name(slot->kind));
    table_cell(table, "%s", object);
    if (slot->why)
        table_cell(table, "no: %s", slot->why);
    else
        table_cell(table, "%s", or_dash(slot->declared ? slot->signature : slot->version));
}

struct function_rows {
    const struct wish *wish;
    const char *object;
    struct table *table;
    struct json_object *list; /* NULL: the table is asked for */
};

static bool name_wished(const char *name, void *context)
{
    const struct function_rows *rows = context;

    return matches(rows->wish->match, name);
}

static void add_function_row(struct table *table, const struct function *function, const char *name,
                             const char *object, const char *why_not)
{
    add_name(table, name, function->file);
    table_cell(table, "entry");
    table_cell(table, "function");
    table_cell(table, "%s", object);
    if (why_not)
        table_cell(table, "no: %s", why_not);
    else
        table_cell(table, "%s", or_dash(function->version));
}

static void add_function(const struct function *function, const char *name, const char *why_not,
                         void *context)
{
    const struct function_rows *rows = context;
    struct json_object *entry;

    if (!rows->wish->json) {
        add_function_row(rows->table, function, name, rows->object, why_not);
        return;
    }
    entry = json_object_new_object();
    document_add_text(entry, "name", name);
    document_add_text(entry, "kind", "entry");
    document_add_text(entry, "type", "function");
    document_add_text(entry, "object", rows->object);
    document_add_text(entry, "file", function->file);
    document_add_text(entry, "symbol_version", function->version);
    document_add_number(entry, "offset", (long long)function->address);
    document_add_number(entry, "size", (long long)function->size);
    document_add_bool(entry, "patchable", !why_not);
    document_add_text(entry, "why", why_not);
    json_object_array_add(rows->list, entry);
}

static void add_file_json(struct json_object *list, const struct file_slot *slot,
                          const char *object, const char *name_space)
{
    struct json_object *entry = json_object_new_object();

    document_add_text(entry, "name", slot->name);
    document_add_text(entry, "kind", slot->declared ? "declared" : "import");
    document_add_text(entry, "type", slot_kind_name(slot->kind));
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
    struct file_functions functions;
    int result = file_functions_open(&functions, file, path, why);

    if (result == 0)
        file_functions_each(&functions, rows->object, name_wished, add_function, rows);
    file_functions_close(&functions);
    return result;
}

static int print_file(const char *path, const struct file_image *file,
                      const struct file_slots *slots, const struct wish *wish)
{
    struct refusal why = {0};
    int exit_code = 0;
    static const char *const head[] = {"NAME", "KIND", "TYPE", "OBJECT", "SIGNATURE OR VERSION"};
    struct table table = {.columns = sizeof(head) / sizeof(head[0])};
    struct json_object *document = document_new("slots"), *list = json_object_new_array();
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *name_space = slots->name_space ? slots->name_space : base;

    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < slots->count; i++)
        if (wished(&slots->list[i], wish)) {
            add_file_row(&table, &slots->list[i], base);
            add_file_json(list, &slots->list[i], base, name_space);
        }
    if (!wish->kind || strcmp(wish->kind, "entry") == 0) {
        struct function_rows rows = {wish, base, &table, list};

        if (add_functions(path, file, &rows, &why) != 0)
            exit_code = 1;
    }
    document_add_text(document, "file", path);
    document_add_text(document, "build_id", image_build_id(file->image));
    json_object_object_add(document, "slots", list);
    if (exit_code != 0)
        exit_code = refused("slots", 0, &why, wish->json);
    else if (wish->json)
        json_print(document);
    else
        table_print(&table, stdout);
    json_object_put(document);
    table_free(&table);
    return exit_code;
}

/* Of another OBJECT than the file there is nothing in it. */
static const struct wish *file_wish(const struct wish *wish, const char *path,
                                    const struct file_image *file, const struct file_slots *slots)
{
    static struct wish nothing;
    struct target target = {0};

    if (!wish->object)
        return wish;
    snprintf(target.object, sizeof(target.object), "%s", wish->object);
    if (target_object_matches(&target, true, path, image_soname(file->image), slots->name_space))
        return wish;
    nothing = (struct wish){.match = "", .kind = wish->kind, .json = wish->json};
    return &nothing;
}

static int slots_of_file(const char *path, const struct wish *wish)
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

static bool kind_known(const char *kind)
{
    return strcmp(kind, "declared") == 0 || strcmp(kind, "import") == 0 ||
           strcmp(kind, "entry") == 0;
}

static int slots_of(const char *target, const struct wish *wish)
{
    char *path;
    int exit_code;

    if (!target_is_file(target))
        return slots_of_processes(target, wish);
    path = target_file(target);
    exit_code = slots_of_file(path, wish);
    free(path);
    return exit_code;
}

int verb_slots(int argc, char **argv)
{
    struct wish wish = {0};
    int option, exit_code;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help_print(help);
        if (option == '?')
            return usage_unknown("slots", argv);
        if (option == OPTION_JSON)
            wish.json = true;
        else
            wish.kind = optarg;
    }
    if (argc - optind < 1 || argc - optind > 2)
        return usage_error("slots", "slots takes a target and perhaps a glob");
    if (argc - optind == 2)
        wish.match = argv[optind + 1];
    if (wish.match && !wire_name(wish.match))
        return usage_error("slots", "a glob is not empty and has no control characters");
    split_object(&wish);
    if (wish.kind && !kind_known(wish.kind))
        return usage_error("slots", "--kind is declared, import or entry, not %s", wish.kind);
    exit_code = slots_of(argv[optind], &wish);
    free(wish.object);
    return exit_code;
}
