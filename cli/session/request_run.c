/* request_run.c - see request_run.h. */
#include "cli/session/request_run.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/fatal.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/session/request_lookup.h"

#define LINES_MAX 16 /* a larger group's successes are counted, not listed */

static size_t changes_of(struct json_object *reply, const char *module)
{
    struct json_object *changes = json_list(reply, "changes");
    size_t count = 0;

    for (size_t i = 0; i < json_length(changes); i++)
        count += !module || strcmp(json_text(json_item(changes, i), "module"), module) == 0;
    return count;
}

void print_module(const char *did, struct json_object *module)
{
    printf("%s ", did);
    text_print(stdout, json_text(module, "name"));
    if (*json_text(module, "version")) {
        fputc(' ', stdout);
        text_print(stdout, json_text(module, "version"));
    }
}

static void print_count(size_t slots, const struct process *process)
{
    printf(": %zu slot%s in PID %d\n", slots, slots == 1 ? "" : "s", process->pid);
}

/* Print the modules that were loaded. A module that a new one replaced is in the reply as well, and is not live. */
static void print_loaded(struct json_object *reply, const struct process *process, const char *did)
{
    struct json_object *modules = json_list(reply, "modules");

    for (size_t i = 0; i < json_length(modules); i++) {
        struct json_object *module = json_item(modules, i);

        if (!json_true(module, "live"))
            continue;
        print_module(json_true(module, "unchanged") ? "unchanged" : did, module);
        if (json_true(reply, "dry_run") || json_true(module, "unchanged"))
            printf(" in PID %d\n", process->pid);
        else
            print_count(changes_of(reply, json_text(module, "name")), process);
    }
}

void print_applied(struct json_object *reply, const struct process *process)
{
    print_loaded(reply, process, json_true(reply, "dry_run") ? "would apply" : "applied");
}

void print_reverted(struct json_object *reply, const struct process *process)
{
    struct json_object *modules = json_list(reply, "modules");

    for (size_t i = 0; i < json_length(modules); i++) {
        print_module("reverted", json_item(modules, i));
        if (json_length(modules) == 1)
            print_count(changes_of(reply, NULL), process);
        else
            printf(" in PID %d\n", process->pid);
    }
}

void print_reloaded(struct json_object *reply, const struct process *process)
{
    struct json_object *repaired = json_list(reply, "repaired");

    for (size_t i = 0; i < json_length(repaired); i++) {
        fputs("repaired ", stdout);
        text_print(stdout, json_object_get_string(json_item(repaired, i)));
        printf(" in PID %d\n", process->pid);
    }
    if (json_length(json_list(reply, "modules")) == 0 && json_length(repaired) == 0)
        printf("nothing to reload in PID %d\n", process->pid);
    print_loaded(reply, process, "reloaded");
}

static int print_one(struct session_request *request, const struct request_lookup *found, bool json,
                     reply_printer print)
{
    struct json_object *reply = request->reply;

    request_lookup_warn(found, reply);
    if (json) {
        document_print(reply, reply_exit(reply));
    } else {
        reply_print_warnings(reply);
        if (reply_exit(reply) == 0 && print)
            print(reply, request->process);
        else
            reply_print_errors(reply);
    }
    return reply_exit(reply);
}

static int group_exit(const struct session_request *requests, size_t count, size_t failed)
{
    int first = reply_exit(requests[0].reply);

    if (failed < count)
        return failed ? error_info(HP_SOME_FAILED)->exit_code : 0;
    for (size_t i = 1; i < count; i++)
        if (reply_exit(requests[i].reply) != first)
            return error_info(HP_SOME_FAILED)->exit_code;
    return first;
}

static bool same_errors(struct json_object *a, struct json_object *b)
{
    struct json_object *left = json_list(a, "errors"), *right = json_list(b, "errors");

    return left && right && json_object_equal(left, right);
}

/* Print each different failure once, with the number of processes that gave it. */
static void print_failures(const struct session_request *requests, size_t count)
{
    bool *told = allocate(count * sizeof(*told));

    for (size_t i = 0; i < count; i++) {
        size_t more = 0;

        if (told[i] || reply_exit(requests[i].reply) == 0)
            continue;
        for (size_t j = i + 1; j < count; j++)
            if (!told[j] && same_errors(requests[i].reply, requests[j].reply)) {
                told[j] = true;
                more++;
            }
        if (more)
            fprintf(stderr, "process %d and %zu more:\n", requests[i].process->pid, more);
        else
            fprintf(stderr, "process %d:\n", requests[i].process->pid);
        reply_print_errors(requests[i].reply);
    }
    free(told);
}

static void print_group_json(const struct process_targets *targets,
                             const struct client_request *client_request,
                             const struct session_request *requests, size_t failed, int exit_code)
{
    struct json_object *document = document_new(client_request->verb);
    struct json_object *replies = json_object_new_array();

    document_add_text(document, "target", targets->group);
    document_add_number(document, "targets", (long long)targets->count);
    document_add_number(document, "done", (long long)(targets->count - failed));
    document_add_number(document, "failed", (long long)failed);
    document_add_number(document, "exit", exit_code);
    for (size_t i = 0; i < targets->count; i++)
        json_object_array_add(replies, json_object_get(requests[i].reply));
    json_object_object_add(document, "replies", replies);
    document_print(document, exit_code);
    json_object_put(document);
}

static void print_group(const struct process_targets *targets,
                        const struct client_request *client_request,
                        const struct session_request *requests, size_t failed, int exit_code,
                        reply_printer print)
{
    for (size_t i = 0; i < targets->count; i++)
        if (print && reply_exit(requests[i].reply) == 0 &&
            (targets->count <= LINES_MAX || !client_request->changes))
            print(requests[i].reply, requests[i].process);
    print_failures(requests, targets->count);
    if (client_request->changes)
        printf("%s %s: %zu process%s, %zu done, %zu failed\n", client_request->verb, targets->group,
               targets->count, targets->count == 1 ? "" : "es", targets->count - failed, failed);
    if (exit_code == error_info(HP_SOME_FAILED)->exit_code) {
        struct refusal why = {0};

        refuse(&why, HP_SOME_FAILED, "%zu of %zu processes of %s failed", failed, targets->count,
               targets->group);
        refusal_print(&why);
        refusal_clear(&why);
    }
}

int request_run(const struct process_targets *targets, const struct client_request *client_request,
                bool json, reply_printer print)
{
    struct session_request *requests = allocate(targets->count * sizeof(*requests));
    struct request_lookup *found;
    size_t failed = 0;
    int exit_code;

    for (size_t i = 0; i < targets->count; i++)
        requests[i] = (struct session_request){.process = &targets->list[i]};
    found = request_lookup_run(requests, targets->count, client_request);
    requests_run(requests, targets->count, client_request);
    for (size_t i = 0; i < targets->count; i++)
        failed += reply_exit(requests[i].reply) != 0;
    if (client_request->changes && failed < targets->count)
        fatal_note_done();
    for (size_t i = 0; client_request->amend && i < targets->count; i++)
        client_request->amend(requests[i].reply, requests[i].process);
    if (!targets->group) {
        exit_code = print_one(&requests[0], found, json, print);
    } else {
        exit_code = group_exit(requests, targets->count, failed);
        if (json)
            print_group_json(targets, client_request, requests, failed, exit_code);
        if (!json)
            request_lookup_warn_group(found, failed > 0);
        if (!json)
            print_group(targets, client_request, requests, failed, exit_code, print);
    }
    for (size_t i = 0; i < targets->count; i++)
        json_object_put(requests[i].reply);
    request_lookup_free(found, requests);
    free(requests);
    results_flush();
    return exit_code;
}

int request_run_on(const char *target, const struct client_request *client_request, bool json,
                   reply_printer print)
{
    struct process_targets targets;
    struct refusal why = {0};
    int exit_code;

    if (process_targets_find(target, &targets, &why) != 0)
        exit_code = refused(client_request->verb, 0, &why, json);
    else
        exit_code = request_run(&targets, client_request, json, print);
    process_targets_close(&targets);
    return exit_code;
}
