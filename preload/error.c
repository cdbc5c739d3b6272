/*
 * error.c - the table of refusals and the list that collects them.
 *
 * Runs on any thread; allocates only in refuse(), and copes when that fails.
 */
#include "error.h"

#include <stdarg.h>
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

/* A request without memory still gets its code: the list then ends in this item. */
static struct complaint last_resort = {HP_MEMORY, NULL};

int refuse(struct refusal *why, enum error_code code, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *p = text; *p; p++)
        if (*p == '\n')
            *p = ' ';

    if (why->items == &last_resort)
        return -1;
    if (why->count == why->capacity) {
        size_t capacity = why->capacity ? why->capacity * 2 : 4;
        struct complaint *items = realloc(why->items, capacity * sizeof(*items));

        if (!items) {
            if (why->count == 0) {
                why->items = &last_resort;
                why->count = 1;
            }
            return -1;
        }
        why->items = items;
        why->capacity = capacity;
    }
    why->items[why->count].code = code;
    why->items[why->count].text = malloc(strlen(text) + 1); /* strdup: see loader/text.h */
    if (why->items[why->count].text)
        strcpy(why->items[why->count].text, text);
    why->count++;
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
