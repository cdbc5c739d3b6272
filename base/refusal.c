/*
 * refusal.c - the table of refusals and the list that collects them.
 *
 * Runs on any thread. Only refuse() allocates, and it works without memory too.
 */
#include "base/refusal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct error_info table[ERROR_CODE_COUNT] = {
    [HP_NONE] = {"HP-NONE", 0, "nothing is wrong", ""},
#define X(symbol, code, exit_code, meaning, remedy) [symbol] = {code, exit_code, meaning, remedy},
    ERROR_TABLE(X)
#undef X
};

const struct error_info *error_info(enum error_code code)
{
    return &table[(unsigned)code < ERROR_CODE_COUNT ? code : HP_INTERNAL];
}

enum error_code error_code_of(const char *code)
{
    const char *bare = strncasecmp(code, "HP-", 3) == 0 ? code + 3 : code;

    for (int i = HP_NONE + 1; i < ERROR_CODE_COUNT; i++)
        if (strcasecmp(table[i].code + 3, bare) == 0)
            return (enum error_code)i;
    return HP_NONE;
}

const struct error_info *error_find(const char *code)
{
    enum error_code found = error_code_of(code);

    return found == HP_NONE ? NULL : &table[found];
}

/* Last item of the list where memory is short, so that the request still gets a code. */
static struct complaint last_resort = {HP_MEMORY, NULL};

static void one_line(char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            *text = ' ';
}

/* Return the sentence, malloc'd; NULL: memory is short. It is not cut, because a name in it may be long. strdup(3)
 * and vasprintf(3) are not used: see base/text.h. */
static char *sentence(const char *format, va_list arguments)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text) {
        vsnprintf(text, (size_t)length + 1, format, again);
        one_line(text);
    }
    va_end(again);
    return text;
}

/* Grow the list. Return false if memory is short. */
static bool grow_items(struct refusal *why)
{
    size_t capacity = why->capacity ? why->capacity * 2 : 4;
    struct complaint *items = realloc(why->items, capacity * sizeof(*items));

    if (!items)
        return false;
    why->items = items;
    why->capacity = capacity;
    return true;
}

const char *error_result(int exit_code)
{
    switch (exit_code) {
    case 0:
        return "done";
    case 4:
        return "timed-out";
    case 6:
        return "unknown";
    default:
        return "refused";
    }
}

int refuse(struct refusal *why, enum error_code code, const char *format, ...)
{
    struct complaint *item;
    va_list arguments;

    if (why->items == &last_resort)
        return -1;
    if (why->count == why->capacity && !grow_items(why)) {
        if (why->count == 0) {
            why->items = &last_resort;
            why->count = 1;
        }
        return -1;
    }
    item = &why->items[why->count++];
    item->code = code;
    va_start(arguments, format);
    item->text = sentence(format, arguments);
    va_end(arguments);
    return -1;
}

void refusal_clear(struct refusal *why)
{
    if (why->items != &last_resort) {
        for (size_t i = 0; i < why->count; i++)
            free(why->items[i].text);
        free(why->items);
    }
    why->items = NULL;
    why->count = why->capacity = 0;
}

int refusal_exit_code(const struct refusal *why)
{
    return why->count ? error_info(why->items[0].code)->exit_code : 0;
}

const char *refusal_text(const struct refusal *why, size_t index)
{
    const struct complaint *item = &why->items[index];

    return item->text ? item->text : error_info(item->code)->meaning;
}
