/* reply.c - see reply.h. */
#include "cli/session/reply.h"

#include <json-c/json.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/output/results.h"

struct json_object *document_new(const char *verb)
{
    struct json_object *document = json_object_new_object();

    document_add_number(document, "hotpatch", 1);
    if (verb)
        document_add_text(document, "verb", verb);
    return document;
}

void document_add_text(struct json_object *document, const char *key, const char *text)
{
    json_object_object_add(document, key, text ? json_object_new_string(text) : NULL);
}

void document_add_number(struct json_object *document, const char *key, long long number)
{
    json_object_object_add(document, key, json_object_new_int64(number));
}

void document_add_bool(struct json_object *document, const char *key, int value)
{
    json_object_object_add(document, key, json_object_new_boolean(value));
}

void document_print(struct json_object *document, int exit_code)
{
    document_add_number(document, "exit", exit_code);
    json_print(document);
}

void document_print_text(const char *verb, const char *key, const char *text)
{
    struct json_object *document = document_new(verb);

    document_add_text(document, key, text);
    document_print(document, 0);
    json_object_put(document);
}

/* `remedy` NULL: that of the table. */
static struct json_object *error_new(const char *code, const char *text, const char *remedy)
{
    struct json_object *error = json_object_new_object();
    const struct error_info *info = error_find(code);

    document_add_text(error, "code", code);
    document_add_text(error, "text", text && *text ? text : info ? info->meaning : "");
    document_add_text(error, "remedy", remedy ? remedy : info ? info->remedy : "");
    return error;
}

struct json_object *reply_refused(pid_t pid, const char *verb, const struct refusal *why)
{
    struct json_object *reply = document_new(verb);
    struct json_object *errors = json_object_new_array();
    int exit_code = refusal_exit_code(why);

    if (pid)
        document_add_number(reply, "pid", pid);
    document_add_text(reply, "result", error_result(exit_code));
    document_add_number(reply, "exit", exit_code);
    for (size_t i = 0; i < why->count; i++)
        json_object_array_add(
            errors, error_new(error_info(why->items[i].code)->code, why->items[i].text, NULL));
    json_object_object_add(reply, "errors", errors);
    json_object_object_add(reply, "warnings", json_object_new_array());
    return reply;
}

struct json_object *reply_usage(const char *verb, const char *text, const char *remedy)
{
    const struct error_info *info = error_info(HP_USAGE);
    struct json_object *reply = document_new(verb), *errors = json_object_new_array();

    document_add_text(reply, "result", error_result(info->exit_code));
    document_add_number(reply, "exit", info->exit_code);
    json_object_array_add(errors, error_new(info->code, text, remedy));
    json_object_object_add(reply, "errors", errors);
    json_object_object_add(reply, "warnings", json_object_new_array());
    return reply;
}

struct json_object *reply_from_record(pid_t pid, struct json_object *record)
{
    struct json_object *reply = document_new(json_text(record, "verb"));
    struct json_object *errors = json_object_new_array();
    struct json_object *modules = json_list(record, "modules");

    document_add_number(reply, "pid", pid);
    document_add_text(reply, "id", json_text(record, "id"));
    document_add_text(reply, "result", json_text(record, "result"));
    document_add_number(reply, "exit", json_integer(record, "exit", 6));
    if (*json_text(record, "code"))
        json_object_array_add(
            errors, error_new(json_text(record, "code"), json_text(record, "text"), NULL));
    json_object_object_add(reply, "errors", errors);
    json_object_object_add(reply, "warnings", json_object_new_array());
    document_add_number(reply, "microseconds", json_integer(record, "microseconds", 0));
    json_object_object_add(reply, "modules",
                           modules ? json_object_get(modules) : json_object_new_array());
    return reply;
}

struct json_object *history_find(struct json_object *status, const char *id)
{
    struct json_object *history = json_list(status, "history");

    for (size_t i = json_length(history); i-- > 0;)
        if (strcmp(json_text(json_item(history, i), "id"), id) == 0)
            return json_item(history, i);
    return NULL;
}

int reply_exit(struct json_object *reply)
{
    int64_t code = json_integer(reply, "exit", 6);

    return code >= 0 && code <= 6 ? (int)code : 6;
}

void reply_print_errors(struct json_object *reply)
{
    struct json_object *errors = json_list(reply, "errors");

    for (size_t i = 0; i < json_length(errors); i++) {
        struct json_object *error = json_item(errors, i);

        refusal_line_print(json_text(error, "code"), json_text(error, "text"),
                           json_text(error, "remedy"));
    }
    if (json_length(errors) == 0 && reply_exit(reply) != 0)
        refusal_line_print("HP-UNKNOWN", "the process gave no reason", NULL);
}

void reply_print_warnings(struct json_object *reply)
{
    struct json_object *warnings = json_list(reply, "warnings");

    for (size_t i = 0; i < json_length(warnings); i++)
        warning_print(json_object_get_string(json_item(warnings, i)));
}

int refused(const char *verb, pid_t pid, struct refusal *why, int json)
{
    int exit_code = refusal_exit_code(why);

    if (json) {
        struct json_object *reply = reply_refused(pid, verb, why);

        json_print(reply);
        json_object_put(reply);
    } else {
        refusal_print(why);
    }
    refusal_clear(why);
    return exit_code;
}
