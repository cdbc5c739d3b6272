/* status.c - hotpatch status: what is applied in a process, and since when. */
#include "cli/verbs/status.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/request.h"
#include "cli/debug/cxx_name.h"
#include "cli/output/output.h"
#include "cli/session/request_run.h"
#include "cli/verbs/slot_rows.h"
#include "cli/verbs/usage.h"

#define HASH_SHOWN 16 /* hex digits; --json has all */

static const char help[] =
    "hotpatch status TARGET [--history]\n"
    "\n"
    "Shows for every process of TARGET (a PID or @NAME) which slots have layers, which of\n"
    "them is live, since when, the old and new address, and each patch's version, build-id\n"
    "and hash; of a fault how often it struck; of an entry slot whether what is live has been\n"
    "entered since the switch, and which threads still run the old code.\n"
    "\n"
    "    --history    the last requests and what became of them, as well\n"
    "    --json       print the replies as JSON (the history is always in it)\n";

static const struct option options[] = {
    COMMON_OPTIONS,
    {"history", no_argument, NULL, OPTION_HISTORY},
    END_OF_OPTIONS,
};

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void print_head(struct json_object *status, const struct process *process)
{
    int64_t signal_number = json_integer(status, "signal", 0);

    printf("PID %d ", process->pid);
    text_print(stdout, json_text(status, "program"));
    fputs(": library ", stdout);
    text_print(stdout, json_text(status, "version"));
    printf(", engine %s, ", json_true(status, "engine") ? "loaded" : "not yet needed");
    if (signal_number)
        printf("doorbell signal %lld, ", (long long)signal_number);
    else
        printf("no doorbell, ");
    printf("%lld request%s\n", (long long)json_integer(status, "requests", 0),
           json_integer(status, "requests", 0) == 1 ? "" : "s");
    if (*json_text(status, "sandbox")) {
        fputs("refuses requests: ", stdout);
        text_print(stdout, json_text(status, "sandbox"));
        putchar('\n');
    }
    if (*json_text(status, "busy")) {
        fputs("busy with ", stdout);
        text_print(stdout, json_text(status, "busy"));
        putchar('\n');
    }
}

static void layer_row_add(struct text_table *table, struct json_object *layer, bool top)
{
    table_cell(table, "  %s", json_text(layer, "module"));
    table_cell(table, "%s", or_dash(json_text(layer, "version")));
    table_cell(table, "%s", !top ? "covered" : json_true(layer, "live") ? "live" : "damaged");
    table_cell(table, "%s", or_dash(json_text(layer, "since")));
    table_cell(table, "%s", or_dash(json_text(layer, "old")));
    table_cell(table, "%s", or_dash(json_text(layer, "new")));
    table_cell(table, "%.*s", HASH_SHOWN, or_dash(json_text(layer, "build_id")));
    table_cell(table, "%.*s", HASH_SHOWN, or_dash(json_text(layer, "sha256")));
    table_cell(table, "%s", or_dash(json_text(layer, "path")));
}

static void print_layers(struct json_object *layers)
{
    static const char *const head[] = {"  PATCH", "VERSION",  "STATE",   "SINCE", "OLD",
                                       "NEW",     "BUILD-ID", "SHA-256", "FILE"};
    struct text_table table = {.columns = sizeof(head) / sizeof(head[0])};

    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = json_length(layers); i-- > 0;) /* the newest first */
        layer_row_add(&table, json_item(layers, i), i + 1 == json_length(layers));
    table_print(&table, stdout);
    table_free(&table);
}

static struct json_object *module_named(struct json_object *status, const char *name)
{
    struct json_object *modules = json_list(status, "modules");

    for (size_t i = 0; i < json_length(modules); i++)
        if (strcmp(json_text(json_item(modules, i), "name"), name) == 0)
            return json_item(modules, i);
    return NULL;
}

/* Print how often the injections among the layers struck. */
static void print_injections(struct json_object *status, struct json_object *layers)
{
    for (size_t i = json_length(layers); i-- > 0;) {
        const char *name = json_text(json_item(layers, i), "module");
        struct json_object *module = module_named(status, name);

        if (!*json_text(module, "fault"))
            continue;
        fputs("  ", stdout);
        text_print(stdout, name);
        printf(" struck %lld of %lld calls\n", (long long)json_integer(module, "strikes", 0),
               (long long)json_integer(module, "calls", 0));
    }
}

static void print_reused(struct json_object *status, struct json_object *layers)
{
    for (size_t i = json_length(layers); i-- > 0;) {
        const char *name = json_text(json_item(layers, i), "module");

        if (!json_true(module_named(status, name), "reused"))
            continue;
        fputs("  ", stdout);
        text_print(stdout, name);
        puts(" is reused: it was applied before, and its data kept its values");
    }
}

/* Print how many words have no layer yet: objects that were loaded later get it at the next request. */
static void print_not_yet(struct json_object *slot)
{
    int64_t words = json_integer(slot, "words", 0), live = json_integer(slot, "words_live", words);

    if (live < words)
        printf("  %lld of %lld words hold something else\n", (long long)(words - live),
               (long long)words);
}

/* Print whether the function was entered: then calls reach it. Inlined ones do not. */
static void print_entered(struct json_object *slot)
{
    struct json_object *entered = NULL;

    if (!json_object_object_get_ex(slot, "entered", &entered))
        return;
    if (!entered)
        puts("  whether it has been entered is not noted");
    else if (json_object_get_boolean(entered))
        puts("  entered since the switch");
    else
        puts("  not entered since the switch");
}

/* Print what callers rely on, where a keeping stub is in use. */
static void print_kept(struct json_object *slot)
{
    char *kept = slot_kept(slot);

    if (kept) {
        fputs("  ", stdout);
        text_print(stdout, kept);
        putchar('\n');
    }
    free(kept);
}

static void print_uprobe_safe(struct json_object *slot)
{
    struct json_object *safe = NULL;

    if (json_object_object_get_ex(slot, "uprobe_safe", &safe) && safe &&
        !json_object_get_boolean(safe))
        puts("  not safe beside uprobes: one that is removed there would end the process");
}

/* Print the threads that are still in a call of the old code. */
static void print_old_calls(struct json_object *status, struct json_object *slot)
{
    struct json_object *calls = json_list(status, "old_calls");

    for (size_t i = 0; i < json_length(calls); i++) {
        struct json_object *call = json_item(calls, i);

        if (!json_true(call, "entry") ||
            strcmp(json_text(call, "slot"), json_text(slot, "name")) != 0 ||
            strcmp(json_text(call, "object"), json_text(slot, "object")) != 0)
            continue;
        printf("  thread %lld (", (long long)json_integer(call, "tid", 0));
        text_print(stdout, json_text(call, "thread"));
        printf(") still runs the old code: its call has not returned since %s\n",
               json_text(call, "since"));
    }
}

static void print_name(const char *name);

/* Print the threads that are in old code that has no slot. */
static void print_inner_calls(struct json_object *calls)
{
    for (size_t i = 0; i < json_length(calls); i++) {
        struct json_object *call = json_item(calls, i);

        if (json_true(call, "entry"))
            continue;
        putchar('\n');
        print_name(json_text(call, "slot"));
        printf(": thread %lld (", (long long)json_integer(call, "tid", 0));
        text_print(stdout, json_text(call, "thread"));
        printf(") still runs the old code: a call that led to it has not returned since %s\n",
               json_text(call, "since"));
    }
}

static void print_name(const char *name)
{
    char *words = cxx_demangled(name);

    text_print(stdout, words ? words : name);
    free(words);
}

/* Print the damage where another tool has written to the entry: what runs is not what the slot holds. */
static void print_damage(struct json_object *slot)
{
    struct json_object *damage = NULL;

    json_object_object_get_ex(slot, "damage", &damage);
    fputs(", damaged: ", stdout);
    text_print(stdout, json_text(damage, "text"));
    printf("\n  at %s+0x%llx: expected %s, found %s\n", json_text(damage, "object"),
           (long long)json_integer(damage, "offset", 0), json_text(damage, "expected"),
           json_text(damage, "found"));
}

static void print_live(struct json_object *slot)
{
    fputs(", live ", stdout);
    text_print(stdout, json_text(slot, "live"));
    fputs(" of ", stdout);
    text_print(stdout,
               *json_text(slot, "live_module") ? json_text(slot, "live_module") : "the program");
    if (*json_text(slot, "since")) {
        fputs(" since ", stdout);
        text_print(stdout, json_text(slot, "since"));
    }
    putchar('\n');
}

static void print_slot(struct json_object *status, struct json_object *slot)
{
    struct json_object *layers = json_list(slot, "layers");
    bool damaged = json_true(slot, "damaged");

    if (json_length(layers) == 0 && !damaged)
        return;
    putchar('\n');
    print_name(json_text(slot, "name"));
    fputs(": ", stdout);
    text_print(stdout, json_text(slot, "kind"));
    fputs(" slot of ", stdout);
    text_print(stdout, json_text(slot, "object"));
    if (damaged)
        print_damage(slot);
    else
        print_live(slot);
    if (json_length(layers) == 0)
        return;
    print_layers(layers);
    print_injections(status, layers);
    print_reused(status, layers);
    print_not_yet(slot);
    print_kept(slot);
    print_entered(slot);
    print_old_calls(status, slot);
    print_uprobe_safe(slot);
}

static void add_record(struct text_table *table, struct json_object *record)
{
    struct json_object *modules = json_list(record, "modules");
    char *names = format_text("%s", json_length(modules) ? "" : "-");

    for (size_t i = 0; i < json_length(modules); i++) {
        struct json_object *module = json_item(modules, i);
        const char *version = json_text(module, "version");
        char *longer = format_text("%s%s%s%s%s", names, i ? ", " : "", json_text(module, "name"),
                                   *version ? " " : "", version);

        free(names);
        names = longer;
    }
    table_cell(table, "%lld", (long long)json_integer(record, "n", 0));
    table_cell(table, "%s", or_dash(json_text(record, "time")));
    table_cell(table, "%s", or_dash(json_text(record, "verb")));
    table_cell(table, "%s",
               json_true(record, "unchanged") ? "unchanged" : or_dash(json_text(record, "result")));
    table_cell(table, "%lld", (long long)json_integer(record, "slots", 0));
    table_cell(table, "%lld", (long long)json_integer(record, "microseconds", 0));
    table_cell(table, "%s", names);
    table_cell(table, "%s%s%s", json_text(record, "code"), *json_text(record, "code") ? ": " : "",
               json_text(record, "text"));
    free(names);
}

static void print_history(struct json_object *history)
{
    static const char *const head[] = {"N",     "TIME",         "VERB",    "RESULT",
                                       "SLOTS", "MICROSECONDS", "PATCHES", "REASON"};
    struct text_table table = {.columns = sizeof(head) / sizeof(head[0])};

    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < json_length(history); i++)
        add_record(&table, json_item(history, i));
    putchar('\n');
    table_print(&table, stdout);
    table_free(&table);
}

/* Print the threads that could not be looked at. */
static void print_running(struct json_object *threads)
{
    for (size_t i = 0; i < json_length(threads); i++) {
        struct json_object *thread = json_item(threads, i);

        printf("%sthread %lld (", i ? "" : "\n", (long long)json_integer(thread, "tid", 0));
        text_print(stdout, json_text(thread, "thread"));
        puts(") ran whenever it was looked at: whether it still runs old code is not known");
    }
}

static bool with_history;

static void print_status(struct json_object *reply, const struct process *process)
{
    struct json_object *status = NULL, *slots;
    size_t layered = 0;

    json_object_object_get_ex(reply, "status", &status);
    slots = json_list(status, "slots");
    print_head(status, process);
    for (size_t i = 0; i < json_length(slots); i++) {
        print_slot(status, json_item(slots, i));
        layered += json_length(json_list(json_item(slots, i), "layers")) != 0;
    }
    if (layered == 0)
        puts("nothing is applied");
    print_inner_calls(json_list(status, "old_calls"));
    print_running(json_list(status, "running"));
    if (with_history)
        print_history(json_list(status, "history"));
}

int verb_status(int argc, char **argv)
{
    struct client_request client_request = {
        .verb = "status", .keys = "", .timeout = REQUEST_TIMEOUT_DEFAULT};
    bool json = false;
    int option, exit_code = -1;

    options_begin(argc, argv, "", options);
    while ((option = option_next(argc, argv, options, help, &exit_code)) != -1) {
        json |= option == OPTION_JSON;
        with_history |= option == OPTION_HISTORY;
    }
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind != 1)
        return usage_error("status", "status takes one target");
    return request_run_on(argv[optind], &client_request, json, print_status);
}
