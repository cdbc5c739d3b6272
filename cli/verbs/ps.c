/* ps.c - hotpatch ps: lists the processes that can be patched, and removes what processes that have ended left. */
#include "cli/verbs/ps.h"

#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/channel.h"
#include "cli/process/listens.h"
#include "cli/process/process_targets.h"
#include "cli/process/runtime_dirs.h"
#include "cli/process/stale.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/verbs/usage.h"

#define QUERY_MARGIN 1000 /* ms */

static const char help[] =
    "hotpatch ps\n"
    "\n"
    "Lists the processes that have the library (as root: everybody's), and removes from the\n"
    "runtime directories what processes that have ended left behind.\n"
    "\n"
    "    --json    print as JSON\n";

static const struct option options[] = {COMMON_OPTIONS, END_OF_OPTIONS};

struct row {
    const struct process *process;
    struct channel channel;
    struct json_object *status; /* NULL: no status file */
};

static void iso_time(int64_t seconds, char *buffer, size_t size)
{
    time_t when = (time_t)seconds;
    struct tm broken;

    strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &broken));
}

static size_t layers_of(struct json_object *status)
{
    struct json_object *slots = json_list(status, "slots");
    size_t layers = 0;

    for (size_t i = 0; i < json_length(slots); i++)
        layers += json_length(json_list(json_item(slots, i), "layers"));
    return layers;
}

static const char *state_of(const struct row *row)
{
    if (row->channel.fifo < 0)
        return process_waits_for_ring(row->process)             ? "ready"
               : process_listens(row->process) == LISTENS_NEVER ? "never listens"
                                                                : "not listening";
    return json_true(row->status, "engine") ? "loaded" : "ready";
}

static void process_row_add(struct text_table *table, const struct row *row)
{
    char user[64], since[32];

    process_user(row->process->euid, user, sizeof(user));
    iso_time(start_time_epoch(row->process->start_time), since, sizeof(since));
    table_cell(table, "%d", row->process->pid);
    table_cell(table, "%s", row->process->exe ? row->process->exe : row->process->comm);
    table_cell(table, "%s", user);
    table_cell(table, "%s", row->channel.path ? row->channel.path : "-");
    table_cell(table, "%s", state_of(row));
    table_cell(table, "%zu", layers_of(row->status));
    table_cell(table, "%s", since);
}

static void add_json(struct json_object *list, const struct row *row)
{
    struct json_object *entry = json_object_new_object();
    char user[64], since[32];

    process_user(row->process->euid, user, sizeof(user));
    iso_time(start_time_epoch(row->process->start_time), since, sizeof(since));
    document_add_number(entry, "pid", row->process->pid);
    document_add_text(entry, "program", row->process->exe ? row->process->exe : row->process->comm);
    document_add_number(entry, "uid", row->process->euid);
    document_add_text(entry, "user", user);
    document_add_text(entry, "directory", row->channel.path);
    document_add_bool(entry, "listening",
                      row->channel.fifo >= 0 || process_waits_for_ring(row->process));
    document_add_bool(entry, "engine", json_true(row->status, "engine"));
    document_add_number(entry, "layers", (long long)layers_of(row->status));
    document_add_text(entry, "since", since);
    document_add_text(entry, "library", row->process->shim);
    json_object_array_add(list, entry);
}

/* Remove stale files from the user's own candidates; as root from those of all users. */
static void clean_all(const struct process *live, size_t count)
{
    static const char *const everybody[] = {"/tmp/hotpatch-*", "/run/user/*/hotpatch"};
    struct refusal ignored = {0};
    struct process self;
    struct dir_candidate *own;
    size_t own_count;
    glob_t found;

    process_open(getpid(), &self, &ignored);
    refusal_clear(&ignored);
    own = candidates_find(&self, &own_count);
    for (size_t i = 0; i < own_count; i++)
        if (own[i].fd >= 0)
            stale_remove(own[i].fd, live, count);
    candidates_free(own, own_count);
    for (size_t i = 0; geteuid() == 0 && i < sizeof(everybody) / sizeof(everybody[0]); i++) {
        if (glob(everybody[i], GLOB_NOSORT, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++) {
            struct dir_candidate candidate = {.path = found.gl_pathv[j]};
            int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

            candidate_open_any(&candidate, root);
            if (candidate.fd >= 0) {
                stale_remove(candidate.fd, live, count);
                close(candidate.fd);
            }
            close(root);
        }
        globfree(&found);
    }
    process_close(&self);
}

/* Ask the process for its status: in a jail there is no status file. */
static struct json_object *query_status(const struct process *process)
{
    struct process copy = *process;
    struct session_request request = {.process = &copy};
    struct client_request client_request = {
        .verb = "status", .keys = "", .timeout = 0, .margin = QUERY_MARGIN};
    struct json_object *status = NULL;

    requests_run(&request, 1, &client_request);
    if (reply_exit(request.reply) == 0 &&
        json_object_object_get_ex(request.reply, "status", &status))
        json_object_get(status);
    json_object_put(request.reply);
    return status;
}

static void print_processes(const struct process *list, size_t count, bool json)
{
    static const char *const head[] = {"PID",    "PROGRAM", "USER", "DIRECTORY",
                                       "ENGINE", "LAYERS",  "SINCE"};
    struct text_table table = {.columns = sizeof(head) / sizeof(head[0])};
    struct json_object *document = document_new("ps"), *rows = json_object_new_array();

    for (size_t i = 0; i < table.columns; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < count; i++) {
        struct row row = {.process = &list[i]};
        struct refusal ignored = {0};

        if (!list[i].shim)
            continue;
        channel_open(&list[i], &row.channel, &ignored);
        refusal_clear(&ignored);
        if (row.channel.dir >= 0)
            row.status = status_file_read(row.channel.dir, &list[i]);
        if (row.channel.jail)
            row.status = query_status(&list[i]);
        if (json)
            add_json(rows, &row);
        else
            process_row_add(&table, &row);
        json_object_put(row.status);
        channel_close(&row.channel);
    }
    json_object_object_add(document, "processes", rows);
    if (json)
        document_print(document, 0);
    else
        table_print(&table, stdout);
    json_object_put(document);
    table_free(&table);
}

int verb_ps(int argc, char **argv)
{
    struct process *list;
    size_t count;
    bool json = false;
    int exit_code = -1;

    options_begin(argc, argv, "", options);
    while (option_next(argc, argv, options, help, &exit_code) != -1)
        json = true;
    if (exit_code >= 0)
        return exit_code;
    if (optind != argc)
        return usage_error("ps", "ps takes no operand");
    list = shim_processes_find(&count);
    clean_all(list, count);
    print_processes(list, count, json);
    for (size_t i = 0; i < count; i++)
        process_close(&list[i]);
    free(list);
    return 0;
}
