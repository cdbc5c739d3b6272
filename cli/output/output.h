/*
 * output.h - what the command prints: refusals, tables, JSON.
 *
 * Text that came from a target process, a file or /proc is somebody else's: it reaches a
 * terminal with its control characters replaced. Results go to stdout, progress and refusals
 * to stderr.
 */
#ifndef HOTPATCH_OUTPUT_H
#define HOTPATCH_OUTPUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/refusal.h"

struct json_object;

/* A table that grows cell by cell; printed with aligned columns, the first row as its head. */
struct text_table {
    size_t columns;
    char **cells;
    size_t count;
    size_t capacity;
};

void table_cell(struct text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_print(const struct text_table *table, FILE *out);
void table_free(struct text_table *table);

/* `text` with every control character as '?'; malloc'd. NULL is written as "-". */
char *text_clean(const char *text);
/* fputs of text_clean(). */
void text_print(FILE *out, const char *text);

/* "hotpatch: HP-CODE: text" and, indented, the remedy; all of them, on stderr. */
void refusal_print(const struct refusal *why);
void refusal_line_print(const char *code, const char *text, const char *remedy);
/* "hotpatch: warning: text", on stderr. */
void warning_print(const char *text);

/* The document on one line, in UTF-8 whatever bytes its strings have (base/utf8.h). */
void json_write(FILE *out, struct json_object *document);

/* What a process or a file has written; NULL: no JSON. Strict, because it is printed again. */
struct json_object *json_parse(const char *text);

/* Members with a default where they are missing or of another type. Strings live as long as
 * the object. */
const char *json_text(struct json_object *object, const char *key);
int64_t json_integer(struct json_object *object, const char *key, int64_t otherwise);
bool json_true(struct json_object *object, const char *key);
/* An array member, or NULL; its length is 0 then. */
struct json_object *json_list(struct json_object *object, const char *key);
size_t json_length(struct json_object *list);
struct json_object *json_item(struct json_object *list, size_t i);

/* Whether colours are wanted on this stream: a terminal, and no NO_COLOR. */
bool colour_wanted(FILE *out);

/* malloc or die in words: the command has nothing to keep alive. */
void *allocate(size_t size);
void *reallocate(void *block, size_t size);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
