/* output.c - see output.h. */
#include "cli/output/output.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/output/fatal.h"

#define COLUMN_MAX 64

static void memory_ended(void)
{
    fatal(HP_MEMORY, "no memory left for the command");
}

void *allocate(size_t size)
{
    void *block = calloc(1, size ? size : 1);

    if (!block)
        memory_ended();
    return block;
}

void *reallocate(void *block, size_t size)
{
    block = realloc(block, size ? size : 1);
    if (!block)
        memory_ended();
    return block;
}

char *format_list(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        memory_ended();
    return text;
}

char *format_text(const char *format, ...)
{
    char *text;
    va_list arguments;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    return text;
}

/* A terminal obeys C0, DEL and C1 only. A byte that is no UTF-8 is shown as JSON shows it. */
char *text_clean(const char *text)
{
    const char *from = text ? text : "-";
    char *clean = allocate(strlen(from) * 2 + 1), *to = clean;

    while (*from) {
        unsigned char c = (unsigned char)*from;
        size_t length = utf8_length(from);
        bool is_c1 =
            length == 0 ? c <= 0x9f : length == 2 && c == 0xc2 && (unsigned char)from[1] <= 0x9f;

        if (c < 0x20 || c == 0x7f || is_c1) {
            *to++ = '?';
        } else if (length == 0) {
            *to++ = (char)(0xc0 | c >> 6);
            *to++ = (char)(0x80 | (c & 0x3f));
        } else {
            memcpy(to, from, length);
            to += length;
        }
        from += length ? length : 1;
    }
    return clean;
}

void text_print(FILE *out, const char *text)
{
    char *clean = text_clean(text);

    fputs(clean, out);
    free(clean);
}

/* Return whether to print colours on this stream: it is a terminal, and NO_COLOR is not set. */
static bool colour_wanted(FILE *out)
{
    const char *no = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fileno(out)) && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

void table_cell(struct text_table *table, const char *format, ...)
{
    char *text;
    va_list arguments;

    va_start(arguments, format);
    text = format_list(format, arguments);
    va_end(arguments);
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 64;
        table->cells = reallocate(table->cells, table->capacity * sizeof(*table->cells));
    }
    table->cells[table->count++] = text_clean(text);
    free(text);
}

/* Return the number of columns of a UTF-8 text: continuation bytes are not counted. */
static size_t width(const char *text)
{
    size_t columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

/* Return the width of a column. A cell wider than COLUMN_MAX moves the columns of its own line alone. */
static size_t column_width(const struct text_table *table, size_t column)
{
    size_t most = 0;

    for (size_t i = column; i < table->count; i += table->columns) {
        size_t wide = width(table->cells[i]);

        if (wide > most && wide <= COLUMN_MAX)
            most = wide;
    }
    return most;
}

static size_t blanks_behind(const char *text, size_t column)
{
    size_t wide = width(text);

    return (wide < column ? column - wide : 0) + 2;
}

void table_print(const struct text_table *table, FILE *out)
{
    size_t *widths = allocate(table->columns * sizeof(*widths));
    bool colour = colour_wanted(out);

    for (size_t c = 0; c < table->columns; c++)
        widths[c] = column_width(table, c);
    for (size_t i = 0, c = 0; i < table->count; i++, c = c + 1 < table->columns ? c + 1 : 0) {
        if (colour && i == 0)
            fputs("\033[1m", out);
        fputs(table->cells[i], out);
        if (c + 1 < table->columns)
            fprintf(out, "%*s", (int)blanks_behind(table->cells[i], widths[c]), "");
        else
            fputs(colour && i + 1 == table->columns ? "\033[0m\n" : "\n", out);
    }
    free(widths);
}

void table_free(struct text_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    memset(table, 0, sizeof(*table));
}

void refusal_line_print(const char *code, const char *text, const char *remedy)
{
    bool colour = colour_wanted(stderr);

    fprintf(stderr, "hotpatch: %s", colour ? "\033[31m" : "");
    text_print(stderr, code);
    fprintf(stderr, "%s: ", colour ? "\033[0m" : "");
    text_print(stderr, text);
    if (remedy && *remedy) {
        fputs("\n  ", stderr);
        text_print(stderr, remedy);
    }
    fputc('\n', stderr);
}

void warning_print(const char *text)
{
    fputs("hotpatch: warning: ", stderr);
    text_print(stderr, text);
    fputc('\n', stderr);
}

void refusal_print(const struct refusal *why)
{
    for (size_t i = 0; i < why->count; i++) {
        const struct error_info *info = error_info(why->items[i].code);
        const char *text = why->items[i].text;

        refusal_line_print(info->code, text ? text : info->meaning, info->remedy);
    }
}

/* Bytes above 0x7f occur in strings alone; json-c passes them on as they are. */
void json_write(FILE *out, struct json_object *document)
{
    const char *s = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE);
    const char *begun = s;

    while (*s) {
        size_t length = utf8_length(s);

        if (length == 0) {
            fwrite(begun, 1, (size_t)(s - begun), out);
            fprintf(out, "\\u%04x", (unsigned char)*s);
            begun = s + 1;
        }
        s += length ? length : 1;
    }
    fwrite(begun, 1, (size_t)(s - begun), out);
    fputc('\n', out);
}

/* Return whether there is NaN or Infinity outside of strings, which json-c takes in its strict mode too. */
static bool has_no_number(const char *text)
{
    bool in_string = false;

    for (; *text; text++) {
        if (*text == '"')
            in_string = !in_string;
        else if (in_string && *text == '\\' && text[1])
            text++;
        else if (!in_string && (*text == 'N' || *text == 'I'))
            return true;
    }
    return false;
}

struct json_object *json_parse(const char *text)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *document = NULL;

    if (!tokener)
        memory_ended();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    if (!has_no_number(text))
        document = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    json_tokener_free(tokener);
    return document;
}

const char *json_text(struct json_object *object, const char *key)
{
    struct json_object *member;

    if (json_object_object_get_ex(object, key, &member) &&
        json_object_is_type(member, json_type_string))
        return json_object_get_string(member);
    return "";
}

int64_t json_integer(struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *member;

    if (json_object_object_get_ex(object, key, &member) &&
        json_object_is_type(member, json_type_int))
        return json_object_get_int64(member);
    return otherwise;
}

bool json_true(struct json_object *object, const char *key)
{
    struct json_object *member;

    return json_object_object_get_ex(object, key, &member) &&
           json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

struct json_object *json_list(struct json_object *object, const char *key)
{
    struct json_object *member;

    if (json_object_object_get_ex(object, key, &member) &&
        json_object_is_type(member, json_type_array))
        return member;
    return NULL;
}

size_t json_length(struct json_object *list)
{
    return list ? json_object_array_length(list) : 0;
}

struct json_object *json_item(struct json_object *list, size_t i)
{
    return json_object_array_get_idx(list, i);
}
