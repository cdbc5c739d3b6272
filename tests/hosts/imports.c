/*
 * imports.c - a test host without hotpatch declarations: only its imports can be patched.
 */
#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "loop.h"

static char *(*volatile saved_getenv)(const char *) = getenv;

static void command(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", atoi("1"));
    else if (strcmp(word, "pointer") == 0)
        say("%s", saved_getenv("HOTPATCH_TEST_VALUE") ? saved_getenv("HOTPATCH_TEST_VALUE") : "1");
    else if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "getenv") == 0)
        say("%s", getenv(rest) ? getenv(rest) : "none");
    else if (strcmp(word, "rename") == 0)
        say("%s", rename(rest, rest) == 0 ? "renamed" : strerror(errno));
    else if (strcmp(word, "toupper") == 0)
        say("%c", toupper((unsigned char)*rest));
    else if (strcmp(word, "getppid") == 0)
        say("%d", (int)getppid());
    else
        say("?");
}

int main(void)
{
    return loop();
}
