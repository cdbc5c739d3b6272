/* wire_name.c - see wire_name.h. */
#include "cli/output/wire_name.h"

#include <stdio.h>
#include <string.h>

#include "cli/output/output.h"

bool wire_word(const char *text)
{
    return *text && text[strcspn(text, " \t\n")] == 0;
}

bool wire_name(const char *name)
{
    if (!*name)
        return false;
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return false;
    return true;
}

char *wire_encode(const char *name)
{
    char *text = allocate(strlen(name) * 3 + 1), *to = text;

    for (; *name; name++) {
        if ((unsigned char)*name <= ' ' || strchr("=%\x7f", *name))
            to += sprintf(to, "%%%02x", (unsigned char)*name);
        else
            *to++ = *name;
    }
    *to = '\0';
    return text;
}
