/*
 * watch_report.c - see watch_report.h.
 */
#include "cli/verbs/watch_report.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/session/reply.h"

#define NAMES_SHOWN 8 /* more functions are counted */

int watch_report_open(struct watch_report *report, const char *log, bool program, bool json,
                      struct refusal *why)
{
    int fd;

    *report = (struct watch_report){.out = program ? stderr : stdout, .json = json};
    if (!log)
        return !program ? results_check(why) : 0;
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    report->out = fd >= 0 ? fdopen(fd, "a") : NULL;
    report->own = report->out != NULL;
    if (report->out)
        return 0;
    report->out = stderr;
    return refuse(why, HP_OUTPUT, "open %s: %s", log, strerror(errno));
}

void watch_report_close(struct watch_report *report)
{
    if (report->own)
        fclose(report->out);
    *report = (struct watch_report){0};
}

bool watch_report_wanted(const struct watch_report *report)
{
    return report->out != stdout || results_wanted();
}

static void report_flush(const struct watch_report *report)
{
    if (report->out == stdout)
        results_flush();
    else
        fflush(report->out);
}

/* ---- JSON ---- */

static struct json_object *event_new(const char *event)
{
    struct json_object *document = document_new("watch");

    document_add_text(document, "event", event);
    return document;
}

static void event_print(const struct watch_report *report, struct json_object *document)
{
    json_write(report->out, document);
    json_object_put(document);
    report_flush(report);
}

static void add_times(struct json_object *document, const struct save_times *times)
{
    struct json_object *list = json_object_new_object();

    json_object_object_add(list, "noticed", json_object_new_double(times->noticed));
    json_object_object_add(list, "compiled", json_object_new_double(times->compiled));
    json_object_object_add(list, "compared", json_object_new_double(times->compared));
    json_object_object_add(list, "loaded", json_object_new_double(times->loaded));
    json_object_object_add(list, "live", json_object_new_double(times->live));
    json_object_object_add(document, "milliseconds", list);
}

static struct json_object *function_json(const struct build_function *function)
{
    struct json_object *object = json_object_new_object();

    document_add_text(object, "name", function->name);
    document_add_text(object, "source", function->source);
    document_add_number(object, "line", function->line);
    document_add_text(object, "why", function->why);
    document_add_bool(object, "replaces", function->replaces);
    return object;
}

static void add_results(struct json_object *document, const struct build_result *const *results,
                        size_t count)
{
    struct json_object *functions = json_object_new_array(), *notes = json_object_new_array();

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < results[i]->function_count; j++)
            json_object_array_add(functions, function_json(&results[i]->functions[j]));
        for (size_t j = 0; j < results[i]->note_count; j++)
            json_object_array_add(notes, json_object_new_string(results[i]->notes[j]));
    }
    json_object_object_add(document, "functions", functions);
    json_object_object_add(document, "notes", notes);
}

static void add_errors(struct json_object *document, const struct refusal *why)
{
    struct json_object *reply = reply_refused(0, "watch", why);

    json_object_object_add(document, "errors", json_object_get(json_list(reply, "errors")));
    json_object_put(reply);
}

/* ---- words ---- */

static void print_times(FILE *out, const char *did, const struct save_times *times)
{
    fprintf(out, "%s in %.1f ms (noticed %.1f, compiled %.1f, compared %.1f, loaded %.1f)", did,
            times->live, times->noticed, times->compiled, times->compared, times->loaded);
}

/* Return whether an earlier patch has a function of this name: two files of one program, old and new. */
static bool was_named(const struct build_result *const *results, size_t i, const char *name)
{
    while (i-- > 0)
        for (size_t j = 0; j < results[i]->function_count; j++)
            if (strcmp(results[i]->functions[j].name, name) == 0)
                return true;
    return false;
}

static void print_functions(FILE *out, const struct build_result *const *results, size_t count)
{
    size_t shown = 0, all = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < results[i]->function_count; j++)
            if (!was_named(results, i, results[i]->functions[j].name) && ++all <= NAMES_SHOWN) {
                fputs(shown++ ? ", " : ": ", out);
                text_print(out, results[i]->functions[j].name);
            }
    if (all > shown)
        fprintf(out, " and %zu more", all - shown);
}

static void print_notes(FILE *out, const struct build_result *const *results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < results[i]->note_count; j++) {
            fputs("  ", out);
            text_print(out, results[i]->notes[j]);
            fputc('\n', out);
        }
}

static void print_process_count(FILE *out, size_t processes)
{
    if (processes != 1)
        fprintf(out, " in %zu processes", processes);
}

static void print_files(FILE *out, const char *files)
{
    if (!files)
        return;
    text_print(out, *files ? files : "new process");
    fputs(": ", out);
}

/* ---- events ---- */

void report_event(const struct watch_report *report, const char *event, const char *format, ...)
{
    struct json_object *document;
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    if (report->json) {
        document = event_new(event);
        document_add_text(document, "text", text);
        event_print(report, document);
    } else {
        text_print(report->out, text);
        fputc('\n', report->out);
        report_flush(report);
    }
    free(text);
}

void report_live(const struct watch_report *report, const char *files,
                 const struct save_times *times, const struct build_result *const *results,
                 size_t result_count, size_t processes)
{
    if (report->json) {
        struct json_object *document = event_new("live");

        document_add_text(document, "files", files);
        document_add_number(document, "processes", (long long)processes);
        add_times(document, times);
        add_results(document, results, result_count);
        event_print(report, document);
        return;
    }
    print_files(report->out, files);
    print_times(report->out, "live", times);
    print_process_count(report->out, processes);
    print_functions(report->out, results, result_count);
    fputc('\n', report->out);
    print_notes(report->out, results, result_count);
    report_flush(report);
}

void report_reverted(const struct watch_report *report, const char *files,
                     const struct save_times *times, size_t processes)
{
    if (report->json) {
        struct json_object *document = event_new("reverted");

        document_add_text(document, "files", files);
        document_add_number(document, "processes", (long long)processes);
        add_times(document, times);
        event_print(report, document);
        return;
    }
    print_files(report->out, files);
    print_times(report->out, "reverted", times);
    print_process_count(report->out, processes);
    fputs(": all code is the program's own again\n", report->out);
    report_flush(report);
}

static void print_refusal(FILE *out, const char *code, const char *text, const char *remedy)
{
    fprintf(out, "%s: ", code);
    text_print(out, text);
    fputs("\n  ", out);
    text_print(out, remedy);
    fputc('\n', out);
}

static void print_words(FILE *out, const char *words)
{
    size_t length = strlen(words);

    for (const char *p = words; *p; p++)
        fputc(*p == '\n' || *p == '\t' || (unsigned char)*p >= ' ' ? *p : '?', out);
    if (length && words[length - 1] != '\n')
        fputc('\n', out);
}

void report_refused(const struct watch_report *report, const char *files, const char *words,
                    const struct refusal *why)
{
    if (report->json) {
        struct json_object *document = event_new("refused");

        if (files)
            document_add_text(document, "files", files);
        if (words)
            document_add_text(document, "compiler", words);
        add_errors(document, why);
        event_print(report, document);
        return;
    }
    if (words)
        print_words(report->out, words);
    for (size_t i = 0; i < why->count; i++) {
        print_files(report->out, files);
        print_refusal(report->out, error_info(why->items[i].code)->code, why->items[i].text,
                      error_info(why->items[i].code)->remedy);
    }
    if (files)
        fputs("  the old code stays live\n", report->out);
    report_flush(report);
}

void report_failed(const struct watch_report *report, const char *files, int pid,
                   struct json_object *reply)
{
    struct json_object *errors = json_list(reply, "errors");

    if (report->json) {
        struct json_object *document = event_new("failed");

        document_add_text(document, "files", files);
        document_add_number(document, "pid", pid);
        json_object_object_add(document, "errors", json_object_get(errors));
        event_print(report, document);
        return;
    }
    for (size_t i = 0; i < json_length(errors); i++) {
        struct json_object *error = json_item(errors, i);

        print_files(report->out, files);
        fprintf(report->out, "not live in process %d: ", pid);
        print_refusal(report->out, json_text(error, "code"), json_text(error, "text"),
                      json_text(error, "remedy"));
    }
    report_flush(report);
}
