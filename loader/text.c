/* text.c - see text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_copy(const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? malloc(size) : NULL;

    return copy ? memcpy(copy, text, size) : NULL;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0)
        text = malloc((size_t)length + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

static bool list_has(const char *list, const char *text)
{
    size_t length = strlen(text);

    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 2 : NULL)
        if (strncmp(p, text, length) == 0 && (p[length] == '\0' || p[length] == ','))
            return true;
    return false;
}

void text_list_add(char *list, size_t size, const char *text)
{
    size_t length = strlen(list);

    if (length + strlen(text) + 3 <= size && !list_has(list, text))
        sprintf(list + length, "%s%s", length ? ", " : "", text);
}
