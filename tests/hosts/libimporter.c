/*
 * libimporter.c - a library that holds the address of a function of libc: R_X86_64_GLOB_DAT, and R_X86_64_64 in
 * read-only data and in data. (libimporter2.c has a JUMP_SLOT, which exists only if no code takes the address.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char *lookup(const char *name);

const char *library_call(const char *name);
const char *library_got(const char *name);
const char *library_constant(const char *name);
const char *library_data(const char *name);
const char *library_rename(const char *path);
const char *library_length(const char *text);
const char *library_inside(const char *unused);

lookup *const library_constant_pointer = getenv;
lookup *library_data_pointer = getenv;

/* Not the address of a function. C has no constant for it. */
extern char *library_inside_pointer __attribute__((visibility("hidden")));
__asm__(".pushsection .data\n"
        ".p2align 3\n"
        ".hidden library_inside_pointer\n"
        ".globl library_inside_pointer\n"
        "library_inside_pointer: .quad getenv + 1\n"
        ".popsection");

const char *library_call(const char *name)
{
    return getenv(name);
}

const char *library_got(const char *name)
{
    lookup *volatile pointer = getenv; /* read again: the value may not be kept over a switch */

    return pointer(name);
}

const char *library_constant(const char *name)
{
    lookup *const volatile *word = &library_constant_pointer;

    return (*word)(name);
}

const char *library_data(const char *name)
{
    lookup *volatile *word = &library_data_pointer;

    return (*word)(name);
}

const char *library_rename(const char *path)
{
    static char text[32];

    errno = 0;
    int result = rename(path, path);

    snprintf(text, sizeof(text), "%d %d", result, errno);
    return text;
}

const char *library_length(const char *text)
{
    static char answer[32];
    size_t (*volatile length)(const char *) = strlen;

    snprintf(answer, sizeof(answer), "%zu", length(text));
    return answer;
}

const char *library_inside(const char *unused)
{
    static char *first;
    char *now = *(char *volatile *)&library_inside_pointer;

    (void)unused;
    if (!first)
        first = now;
    return now == first ? "same" : "changed";
}
