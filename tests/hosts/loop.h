/*
 * loop.h - a test host's main loop: it reads a line and prints a line, until the end of input.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/* Split "word rest" in place. Rest is "" if there is none. */
static char *split(char *line)
{
    char *space = strchr(line, ' ');
    if (!space)
        return line + strlen(line);
    *space = '\0';
    return space + 1;
}

static void command(const char *word, char *rest);

static int loop(void)
{
    char line[4096];
    say("ready");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = split(line);
        command(line, rest);
    }
    return 0;
}

#endif
