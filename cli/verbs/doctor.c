/* doctor.c - hotpatch doctor: can this be patched, and if not, why? */
#include "cli/verbs/doctor.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine.h"
#include "cli/debug/file_functions.h"
#include "cli/debug/file_image.h"
#include "cli/debug/file_slots.h"
#include "cli/debug/first_library.h"
#include "cli/output/output.h"
#include "cli/process/await_ready.h"
#include "cli/process/process_targets.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/verbs/doctor_process.h"
#include "cli/verbs/findings.h"
#include "cli/verbs/preload_check.h"
#include "cli/verbs/technique_share.h"
#include "cli/verbs/usage.h"

static const char help[] =
    "hotpatch doctor PID|@NAME|FILE\n"
    "\n"
    "Checks all that a process needs in order to be patched, and asks it (its doorbell is\n"
    "rung); or whether a program can be started with the library. One line for each check:\n"
    "ok, warn or no, and the reason.\n"
    "Exit code 0 where it can be patched.\n"
    "\n"
    "    --json    print as JSON\n";

static const struct option options[] = {COMMON_OPTIONS, END_OF_OPTIONS};

static bool every_name(const char *name, void *share)
{
    (void)name;
    (void)share;
    return true;
}

static void count_function(const struct function *function, const char *name,
                           const struct function_code *code, void *share)
{
    (void)name;
    technique_count(share, function->ifunc ? "its implementation's" : code->technique);
}

static void examine_functions(const char *path, const struct file_image *file,
                              struct findings *findings, struct refusal *why)
{
    struct file_functions functions;
    struct technique_share share = {.functions = 0};
    char *text;

    if (file_functions_open(&functions, file, path, why) == 0) {
        file_functions_each(&functions, path, every_name, count_function, &share);
        text = technique_share_text(&share);
        finding_add(findings, share.functions ? FINDING_OK : FINDING_WARN, HP_NONE, "functions",
                    "%zu of %zu can be replaced at their entries: %s", technique_patchable(&share),
                    share.functions, text);
        free(text);
        finding_add_text(findings, functions.index);
    }
    file_functions_close(&functions);
}

static void examine_slots(const char *path, struct findings *findings)
{
    struct file_image file;
    struct file_slots slots = {0};
    struct refusal why = {0};
    size_t declared = 0, imported = 0;

    if (file_image_open(&file, path, 0, &why) == 0) {
        if (file_slots_read(file.image, path, &slots, &why) == 0) {
            for (size_t i = 0; i < slots.count; i++) {
                declared += slots.list[i].declared;
                imported += !slots.list[i].declared && !slots.list[i].why;
            }
            finding_add(findings, FINDING_OK, HP_NONE, "slots",
                        "%zu declared, %zu imported functions; build-id %s", declared, imported,
                        *image_build_id(file.image) ? image_build_id(file.image) : "(none)");
            examine_functions(path, &file, findings, &why);
        }
        file_slots_free(&slots);
        file_image_close(&file);
    }
    finding_add_refusal(findings, "slots", &why);
}

static void examine_first_of_file(const char *path, struct findings *findings)
{
    char *first = first_library(path);

    if (first)
        finding_add(
            findings, FINDING_OK, HP_NONE, "sanitizer",
            "it needs %s, which must come first: hotpatch run puts it before the library in "
            "LD_PRELOAD",
            first);
    free(first);
}

/* As process_target_path() has it. */
static int doctor_file(const char *name, bool json)
{
    char *path =
        format_text("%s%s", strchr(name, '/') || access(name, F_OK) != 0 ? "" : "./", name);
    struct verdict *verdict = allocate(sizeof(*verdict));
    struct findings findings = {0};
    struct refusal why = {0};
    int exit_code;

    if (preload_check(path, verdict, &why) != 0) {
        finding_add_refusal(&findings, "program", &why);
    } else if (verdict->interpreter[0]) {
        finding_add(&findings, FINDING_WARN, HP_NONE, "program",
                    "%s is a script; its interpreter %s gets the library", verdict->path,
                    verdict->interpreter);
        examine_first_of_file(verdict->interpreter, &findings);
        examine_slots(verdict->interpreter, &findings);
    } else {
        finding_add(&findings, FINDING_OK, HP_NONE, "program", "%s is dynamic, %s, glibc",
                    verdict->path, machine_family);
        examine_first_of_file(verdict->path, &findings);
        examine_slots(verdict->path, &findings);
    }
    if (json) {
        struct json_object *document = findings_json(&findings, 0, path);

        document_print(document, findings_exit(&findings));
        json_object_put(document);
    } else {
        findings_print(&findings);
    }
    exit_code = findings_exit(&findings);
    findings_free(&findings);
    free(verdict);
    free(path);
    return exit_code;
}

/* A process that could not be judged before: its listener is made by the ring, and may give rights up. What it said
 * stays where it has ended meanwhile. */
static void process_reopen(struct process *process)
{
    struct refusal ignored = {0};
    struct process now;

    if (process_open(process->pid, &now, &ignored) == 0 && now.start_time == process->start_time) {
        process_close(process);
        *process = now;
    } else {
        process_close(&now);
    }
    refusal_clear(&ignored);
}

/* Asks each process for its status: that rings the doorbell where no listener is there yet, and waits until one is or
 * cannot be. All at a time, as one that is stopped takes seconds. One without the library is not rung. */
static void query_all(struct session_request *requests, struct process_targets *targets)
{
    const struct client_request client_request = {.verb = "status", .keys = ""};

    for (size_t i = 0; i < targets->count; i++) {
        process_await_ready(targets->list[i].pid);
        process_reopen(&targets->list[i]);
        requests[i].process = &targets->list[i];
    }
    requests_run(requests, targets->count, &client_request);
    for (size_t i = 0; i < targets->count; i++)
        process_reopen(&targets->list[i]);
}

static int doctor_process(const struct session_request *request, bool headed,
                          struct json_object **document)
{
    const struct process *process = request->process;
    struct findings findings = {0};
    int exit_code;

    process_examine(process, request->reply, &findings);
    if (document)
        *document = findings_json(&findings, process->pid, NULL);
    else if (headed)
        printf("process %d:\n", process->pid);
    if (!document)
        findings_print(&findings);
    exit_code = findings_exit(&findings);
    findings_free(&findings);
    return exit_code;
}

static int doctor_all(struct process_targets *targets, bool json)
{
    struct session_request *requests = allocate(targets->count * sizeof(*requests));
    struct json_object *list = json_object_new_array(), *document = NULL;
    size_t failed = 0;
    int exit_code = 0;

    query_all(requests, targets);
    for (size_t i = 0; i < targets->count; i++) {
        int one = doctor_process(&requests[i], targets->count > 1, json ? &document : NULL);

        json_object_put(requests[i].reply);
        if (one && failed++ == 0)
            exit_code = one;
        else if (one && one != exit_code)
            exit_code = error_info(HP_SOME_FAILED)->exit_code;
        if (json && targets->group)
            json_object_array_add(list, document);
    }
    if (failed && failed < targets->count)
        exit_code = error_info(HP_SOME_FAILED)->exit_code;
    if (json && targets->group) {
        document = document_new("doctor");
        document_add_text(document, "target", targets->group);
        document_add_number(document, "exit", exit_code);
        json_object_object_add(document, "processes", json_object_get(list));
    }
    if (json) {
        document_print(document, exit_code);
        json_object_put(document);
    }
    json_object_put(list);
    free(requests);
    return exit_code;
}

int verb_doctor(int argc, char **argv)
{
    struct process_targets targets;
    struct refusal why = {0};
    bool json = false;
    int exit_code = -1;

    options_begin(argc, argv, "", options);
    while (option_next(argc, argv, options, help, &exit_code) != -1)
        json = true;
    if (exit_code >= 0)
        return exit_code;
    if (argc - optind != 1)
        return usage_error("doctor", "doctor takes one target");
    if (process_target_is_file(argv[optind]))
        return doctor_file(argv[optind], json);
    if (process_targets_find(argv[optind], &targets, &why) != 0)
        exit_code = refused("doctor", 0, &why, json);
    else
        exit_code = doctor_all(&targets, json);
    process_targets_close(&targets);
    return exit_code;
}
