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

/* Return `text` with '?' for every control character; malloc'd. NULL is written as "-". */
char *text_clean(const char *text);
/* Write text_clean() of `text`. */
void text_print(FILE *out, const char *text);

/* Print "hotpatch: HP-CODE: text" and the indented remedy, for each refusal, on stderr. */
void refusal_print(const struct refusal *why);
void refusal_line_print(const char *code, const char *text, const char *remedy);
/* Print "hotpatch: warning: text" on stderr. */
void warning_print(const char *text);

/* Write the document on one line, in UTF-8 whatever bytes its strings have (base/utf8.h). */
void json_write(FILE *out, struct json_object *document);

/* Parse what a process or a file has written; NULL: no JSON. The parser is strict, since the document is printed
 * again. */
struct json_object *json_parse(const char *text);

/* Return members, or a default where they are missing or of another type. Strings live as long as the object. */
const char *json_text(struct json_object *object, const char *key);
int64_t json_integer(struct json_object *object, const char *key, int64_t otherwise);
bool json_true(struct json_object *object, const char *key);
/* Return an array member, or NULL, whose length is 0. */
struct json_object *json_list(struct json_object *object, const char *key);
size_t json_length(struct json_object *list);
struct json_object *json_item(struct json_object *list, size_t i);

/* Allocate, or end the command with HP-MEMORY. */
void *allocate(size_t size);
void *reallocate(void *block, size_t size);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

#endif
