/*
 * fuzz_json.c - whatever bytes a name has: the JSON of the shim and of the command is UTF-8, strict
 * JSON, and shows the name as base/utf8.h says.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/output/output.h"
#include "tests/support/utf8_strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process unless `text` is {name: name} or has both shown. */
static void judge(const char *text, const char *name)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *document;
    size_t members = 0;

    if (!utf8_strict(text, strlen(text)))
        abort();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    document = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    if (!document)
        abort();
    json_object_object_foreach(document, key, value)
    {
        members++;
        if (!utf8_is_shown_as(name, key) || !utf8_is_shown_as(name, json_object_get_string(value)))
            abort();
    }
    if (members != 1)
        abort();
    json_object_put(document);
    json_tokener_free(tokener);
}

static void by_shim(const char *name)
{
    struct json json = {0};
    char *text;

    json_object_begin(&json, NULL);
    json_string(&json, name, name);
    json_object_end(&json);
    text = json_take(&json);
    judge(text, name);
    free(text);
}

static void by_command(const char *name)
{
    struct json_object *document = json_object_new_object();
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_object_object_add(document, name, json_object_new_string(name));
    json_write(out, document);
    fclose(out);
    if (size == 0 || text[size - 1] != '\n' || memchr(text, '\n', size - 1))
        abort();
    text[size - 1] = '\0';
    judge(text, name);
    free(text);
    json_object_put(document);
}

/* A cut name stays as valid as it was before the cut. */
static void cut(const char *name)
{
    size_t length = strlen(name);
    char *copy = strdup(name);

    if (length >= 3) {
        utf8_mark_cut(copy, length);
        if (strlen(copy) > length ||
            (utf8_strict(name, length) && !utf8_strict(copy, strlen(copy))))
            abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1);

    memcpy(name, data, size);
    name[size] = '\0';
    by_shim(name);
    by_command(name);
    cut(name);
    free(name);
    return 0;
}
