/* text.c - see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

char *text_copy(const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? malloc(size) : NULL;

    return copy ? memcpy(copy, text, size) : NULL;
}

char *text_format_list(const char *format, va_list arguments)
{
    va_list again;
    char *text = NULL;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0)
        text = malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = text_format_list(format, arguments);
    va_end(arguments);
    return text;
}

bool text_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool list_has(const char *list, const char *text)
{
    size_t length = strlen(text);

    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 2 : NULL)
        if (strncmp(p, text, length) == 0 && (p[length] == '\0' || p[length] == ','))
            return true;
    return false;
}

static bool is_cut(const char *list, size_t length)
{
    return length >= 3 && strcmp(list + length - 3, "...") == 0;
}

void text_list_add(char *list, size_t size, const char *text)
{
    size_t length = strlen(list), room = size - length;

    if (list_has(list, text) || is_cut(list, length))
        return;
    if (room < sizeof(", ....."))
        return;
    if (length)
        strcpy(list + length, ", ");
    utf8_fit(list + strlen(list), size - strlen(list), text);
}
