/* slots.c - hotpatch slots: what can be patched in a process or a file. */
#include "cli/verbs/slots.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "base/request.h"
#include "base/slot_names.h"
#include "cli/debug/lookup.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/output/wire_name.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/session/request_run.h"
#include "cli/verbs/program_functions.h"
#include "cli/verbs/slot_rows.h"
#include "cli/verbs/slots_file.h"
#include "cli/verbs/usage.h"

#define LIST_TIMEOUT 10000 /* ms */

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
    "    --timeout=MS                    how long a process may take to make the list (default "
    "10000)\n"
    "    --json                          print as JSON\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"kind", required_argument, NULL, OPTION_KIND},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    END_OF_OPTIONS,
};

/* Split "OBJECT:GLOB". The colon is not half of a C++ "::". Without a GLOB all of the object's slots match. */
static void split_object(struct slot_wish *wish)
{
    const char *colon = wish->match ? strchr(wish->match, ':') : NULL;

    while (colon && colon[1] == ':')
        colon = strchr(colon + 2, ':');
    if (!colon || colon == wish->match)
        return;
    wish->object = format_text("%.*s", (int)(colon - wish->match), wish->match);
    wish->match = colon[1] ? colon + 1 : "*";
}

/* ---------------------------------------------------------------- process --- */

static bool is_import(struct json_object *slot)
{
    return strcmp(json_text(slot, "kind"), "import") == 0;
}

/* Add the names of the importers, or their number. */
static void add_importers(struct text_table *table, struct json_object *importers)
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

struct columns {
    bool imports, techniques, notes;
};

static void add_process_slot(struct text_table *table, struct json_object *slot,
                             const struct columns *with)
{
    slot_name_cell(table, json_text(slot, "name"), json_text(slot, "file"));
    table_cell(table, "%s", json_text(slot, "kind"));
    table_cell(table, "%s", json_text(slot, "type"));
    table_cell(table, "%s", json_text(slot, "object"));
    table_cell(table, "%s",
               json_true(slot, "damaged")        ? "damaged"
               : *json_text(slot, "live_module") ? json_text(slot, "live_module")
                                                 : "original");
    table_cell(table, "%lld", (long long)json_integer(slot, "version", 0));
    if (json_integer(slot, "unfilled", 0) > 0)
        table_cell(table, "%lld calls met no provider",
                   (long long)json_integer(slot, "unfilled", 0));
    else if (!json_true(slot, "patchable"))
        table_cell(table, "no: %s", text_or_dash(json_text(slot, "why")));
    else
        table_cell(table, "%s",
                   text_or_dash(json_text(slot, is_import(slot) ? "symbol_version" : "signature")));
    if (with->imports) {
        table_cell(table, "%s", text_or_dash(json_text(slot, "definition")));
        add_importers(table, json_list(slot, "importers"));
    }
    if (with->techniques)
        slot_technique_cell(table, slot);
    if (with->notes)
        slot_notes_cell(table, slot);
}

static void print_process_slots(struct json_object *reply, const struct process *process)
{
    static const char *const head[] = {"NAME",    "KIND",      "TYPE",       "OBJECT",   "LIVE",
                                       "VERSION", "SIGNATURE", "DEFINITION", "IMPORTERS"};
    struct json_object *slots = json_list(reply, "slots");
    struct columns with = {false, slot_techniques_exist(slots), slot_notes_exist(slots)};
    size_t count = sizeof(head) / sizeof(head[0]);
    struct text_table table;

    (void)process;
    for (size_t i = 0; i < json_length(slots) && !with.imports; i++)
        with.imports = is_import(json_item(slots, i));
    count -= with.imports ? 0 : 2;
    table = (struct text_table){.columns = count + with.techniques + with.notes};
    for (size_t i = 0; i < count; i++)
        table_cell(&table, "%s", head[i]);
    if (with.techniques)
        table_cell(&table, "TECHNIQUE");
    if (with.notes)
        table_cell(&table, "NOTES");
    for (size_t i = 0; i < json_length(slots); i++)
        add_process_slot(&table, json_item(slots, i), &with);
    table_print(&table, stdout);
    slot_techniques_print(slots);
    table_free(&table);
}

static bool slot_is_in(const char *object, struct json_object *slot, const struct process *process)
{
    const char *path = json_text(slot, "object_path");

    return !object || strcmp(object, json_text(slot, "object")) == 0 ||
           strcmp(object, json_text(slot, "namespace")) == 0 ||
           strcmp(object, base_name(path)) == 0 ||
           (strcmp(object, "exe") == 0 && process->exe && strcmp(path, process->exe) == 0);
}

static const struct slot_wish
    *wish_now; /* in which there is what the process does not understand */

static void drop_others(struct json_object *reply, const struct process *process)
{
    struct json_object *slots = json_list(reply, "slots"), *kept = json_object_new_array();

    for (size_t i = 0; i < json_length(slots); i++) {
        struct json_object *slot = json_item(slots, i);

        if (slot_wished(wish_now->match, json_text(slot, "name")) &&
            slot_is_in(wish_now->object, slot, process))
            json_object_array_add(kept, json_object_get(slot));
    }
    if (slots)
        json_object_object_add(reply, "slots", kept);
    else
        json_object_put(kept);
}

static const struct client_request *whole; /* that lists functions too */

/* Put the reply to another request in the place of `reply`. */
static void query_whole(struct json_object *reply, const struct process *process)
{
    struct session_request request = {.process = (struct process *)(uintptr_t)process};
    struct json_object_iterator at, end;

    requests_run(&request, 1, whole);
    while (json_object_object_length(reply) > 0) {
        at = json_object_iter_begin(reply);
        json_object_object_del(reply, json_object_iter_peek_name(&at));
    }
    for (at = json_object_iter_begin(request.reply), end = json_object_iter_end(request.reply);
         !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        json_object_object_add(reply, json_object_iter_peek_name(&at),
                               json_object_get(json_object_iter_peek_value(&at)));
    json_object_put(request.reply);
}

/* Add inlined_into, which debug information has and the process does not. */
static void add_inlined(struct json_object *slots, const struct process *process)
{
    struct refusal ignored = {0};
    struct lookup *lookup = lookup_open(NULL, 0, &ignored);
    uint64_t until = now_ms() + SLOT_INLINED_TIME;

    if (lookup && json_length(slots)) {
        lookup_process(lookup, process);
        for (size_t i = 0; i < json_length(slots); i++)
            slot_add_inlined(json_item(slots, i), lookup,
                             json_text(json_item(slots, i), "object_path"), until);
    }
    lookup_close(lookup);
    refusal_clear(&ignored);
}

static void amend(struct json_object *reply, const struct process *process)
{
    struct json_object *slots = json_list(reply, "slots");

    if (whole && slots && !program_functions_add(process, reply))
        query_whole(reply, process);
    json_object_object_del(reply, "written");
    if (slot_glob_is_cxx(wish_now->match) || wish_now->object)
        drop_others(reply, process);
    slots = json_list(reply, "slots");
    add_inlined(slots, process);
    if (slot_techniques_exist(slots))
        json_object_object_add(reply, "techniques", slot_techniques_json(slots));
}

/* List one process without a pattern: the process lists its slots, the command the program's functions. */
static int query_in_two(const char *target, const struct client_request *client_request, bool json)
{
    struct client_request first = *client_request;
    char *keys = format_text("%s functions=0", client_request->keys);
    int exit_code;

    first.keys = keys;
    whole = client_request;
    exit_code = request_run_on(target, &first, json, print_process_slots);
    free(keys);
    return exit_code;
}

static int slots_of_processes(const char *target, const struct slot_wish *wish,
                              const struct moment *moment)
{
    unsigned timeout = moment->timeout_given ? moment->timeout : LIST_TIMEOUT;
    bool cxx = slot_glob_is_cxx(wish->match);
    char *match = wire_encode(cxx ? "_Z*" : wish->match ? wish->match : "");
    char *keys = format_text("timeout=%u%s%s%s%s", timeout, wish->match ? " match=" : "", match,
                             wish->kind ? " kind=" : "", wish->kind ? wish->kind : "");
    struct client_request client_request = {
        .verb = "slots",
        .keys = keys,
        .timeout = timeout,
        .amend = amend,
    };
    int exit_code;

    wish_now = wish;
    if (wish->match || wish->kind || *target == '@')
        exit_code = request_run_on(target, &client_request, wish->json, print_process_slots);
    else
        exit_code = query_in_two(target, &client_request, wish->json);
    free(keys);
    free(match);
    return exit_code;
}

static int slots_of_target(const char *target, const struct slot_wish *wish,
                           const struct moment *moment)
{
    char *path;
    int exit_code;

    if (!process_target_is_file(target))
        return slots_of_processes(target, wish, moment);
    if (moment->timeout_given)
        return usage_error("slots", "--timeout is for processes, and %s is a file", target);
    path = process_target_path(target);
    exit_code = slots_of_file(path, wish);
    free(path);
    return exit_code;
}

int verb_slots(int argc, char **argv)
{
    struct slot_wish wish = {0};
    struct moment moment = {0};
    int option, exit_code = -1;

    options_begin(argc, argv, "", options);
    while ((option = option_next(argc, argv, options, help, &exit_code)) != -1) {
        if (option == OPTION_JSON)
            wish.json = true;
        else if (option == OPTION_KIND)
            wish.kind = optarg;
        else if (moment_option(&moment, "slots", option, optarg) != 0)
            return 2;
    }
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind < 1 || argc - optind > 2)
        return usage_error("slots", "slots takes a target and perhaps a glob");
    if (argc - optind == 2)
        wish.match = argv[optind + 1];
    if (wish.match && !wire_name(wish.match))
        return usage_error("slots", "a glob is not empty and has no control characters");
    split_object(&wish);
    if (wish.kind && !slot_kind_known(wish.kind))
        return usage_error("slots", "--kind is declared, import or entry, not %s", wish.kind);
    exit_code = slots_of_target(argv[optind], &wish, &moment);
    free(wish.object);
    return exit_code;
}
