/* names.c - a test host whose functions have names that are very long, or are not UTF-8. */
#include <locale.h>

#include "loop.h"
#include "parts/odd_names.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

#define OPAQUE __attribute__((noinline, noipa))
#ifdef __clang__
#undef OPAQUE
#define OPAQUE __attribute__((noinline, optnone))
#endif

int long_answer(int n) __asm__(LONG_NAME);
int latin_answer(int n) __asm__(LATIN_NAME);
int mixed_answer(int n) __asm__(MIXED_NAME);
int endless_answer(int n) __asm__(ENDLESS_NAME);
int long_alias(int n) __attribute__((alias(LONG_NAME)));

OPAQUE int long_answer(int n)
{
    return n * 3 + 1;
}

OPAQUE int latin_answer(int n)
{
    return n * 5 + 2;
}

OPAQUE int mixed_answer(int n)
{
    return n * 7 + 3;
}

OPAQUE int endless_answer(int n)
{
    return n * 9 + 4;
}

static void command(const char *word, char *rest)
{
    if (strcmp(word, "locale") == 0)
        say("%s", setlocale(LC_ALL, rest) ? "set" : "not there");
    else
        say("%d %d %d %d", long_answer(0), latin_answer(0), mixed_answer(0), endless_answer(0));
}

int main(void)
{
    return loop();
}
