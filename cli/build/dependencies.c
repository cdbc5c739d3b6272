/* dependencies.c - see dependencies.h. gcc quotes as munge() in libcpp/mkdeps.cc does: blanks, '#' and '$'. */
#include "cli/build/dependencies.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

/* Read one name; backslashes before other bytes than blanks and '#' are parts of it. */
static const char *read_file_name(const char *at, char *name)
{
    size_t length = 0;

    while (*at && !strchr(" \t\r\n", *at)) {
        if (*at == '\\' && at[1] && strchr(" #\t", at[1]))
            at++;
        else if (*at == '\\' && (at[1] == '\n' || (at[1] == '\r' && at[2] == '\n')))
            break;
        else if (*at == '$' && at[1] == '$')
            at++;
        name[length++] = *at++;
    }
    name[length] = '\0';
    return at;
}

void dependencies_read(struct word_list *files, const char *text)
{
    const char *at = strchr(text, ':');
    char *name = allocate(strlen(text) + 1);

    for (at = at ? at + 1 : ""; *at && *at != '\n';) {
        if (*at == '\\' && (at[1] == '\n' || at[1] == '\r')) {
            at += at[1] == '\r' && at[2] == '\n' ? 3 : 2;
        } else if (*at == ' ' || *at == '\t' || *at == '\r') {
            at++;
        } else {
            const char *after = read_file_name(at, name);

            if (*name)
                words_add(files, name);
            at = after > at ? after : at + 1;
        }
    }
    free(name);
}
