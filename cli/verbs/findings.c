/* findings.c - see findings.h. */
#include "cli/verbs/findings.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/session/reply.h"
#include "elf/functions.h"

static const char *const level_names[] = {"ok", "warn", "no"};

void finding_add(struct findings *findings, enum level level, enum error_code code,
                 const char *check, const char *format, ...)
{
    struct doctor_finding *finding;
    char *text;
    va_list arguments;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    findings->list = reallocate(findings->list, (findings->count + 1) * sizeof(*findings->list));
    finding = &findings->list[findings->count++];
    *finding = (struct doctor_finding){level, code, check, text};
}

void finding_add_refusal(struct findings *findings, const char *check, struct refusal *why)
{
    for (size_t i = 0; i < why->count; i++) {
        const char *text = why->items[i].text;

        finding_add(findings, FINDING_NO, why->items[i].code, check, "%s",
                    text ? text : error_info(why->items[i].code)->meaning);
    }
    refusal_clear(why);
}

/* Below that most of the code is out of reach, however many of the functions can be patched. */
#define LITTLE 50.0 /* % */

void finding_add_text(struct findings *findings, struct functions *functions)
{
    struct text_share *share = &findings->text;
    double percent;

    if (functions_text_share(functions, share) != 0)
        return;
    findings->has_text = true;
    percent = text_share_percent(share);
    finding_add(
        findings, percent < LITTLE ? FINDING_WARN : FINDING_OK, HP_NONE, "text",
        "the functions cover %llu of %llu bytes of %s (%.1f %%)%s",
        (unsigned long long)share->covered, (unsigned long long)share->bytes,
        share->of_sections ? ".text"
                           : "the executable PT_LOADs (no section header says where .text is)",
        percent, percent < LITTLE ? "; the rest has no symbol and no entry in .eh_frame" : "");
}

static struct json_object *text_json(const struct text_share *share)
{
    struct json_object *object = json_object_new_object();

    document_add_text(object, "of", share->of_sections ? ".text" : "PT_LOAD");
    document_add_number(object, "bytes", (long long)share->bytes);
    document_add_number(object, "covered", (long long)share->covered);
    json_object_object_add(object, "percent", json_object_new_double(text_share_percent(share)));
    return object;
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free(findings->list[i].text);
    free(findings->list);
    memset(findings, 0, sizeof(*findings));
}

int findings_exit(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].level == FINDING_NO)
            return error_info(findings->list[i].code)->exit_code;
    return 0;
}

void findings_print(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->list[i];

        printf("%-4s  %-9s  ", level_names[finding->level], finding->check);
        text_print(stdout, finding->text);
        if (finding->level == FINDING_NO)
            printf(" (%s: %s)", error_info(finding->code)->code, error_info(finding->code)->remedy);
        putchar('\n');
    }
}

struct json_object *findings_json(const struct findings *findings, pid_t pid, const char *file)
{
    struct json_object *document = document_new("doctor"), *checks = json_object_new_array();

    if (pid)
        document_add_number(document, "pid", pid);
    if (file)
        document_add_text(document, "file", file);
    document_add_number(document, "exit", findings_exit(findings));
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->list[i];
        struct json_object *entry = json_object_new_object();

        document_add_text(entry, "check", finding->check);
        document_add_text(entry, "level", level_names[finding->level]);
        document_add_text(entry, "code",
                          finding->level == FINDING_NO ? error_info(finding->code)->code : NULL);
        document_add_text(entry, "text", finding->text);
        json_object_array_add(checks, entry);
    }
    json_object_object_add(document, "checks", checks);
    if (findings->has_text)
        json_object_object_add(document, "text_share", text_json(&findings->text));
    return document;
}
