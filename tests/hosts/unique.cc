/*
 * unique.cc - a test host in C++ with data that a patch has, too, and that exists once in a process.
 */
#include <dlfcn.h>

#include "loop.h"
#include "unique.h"

extern "C" __attribute__((noinline, noclone, noipa)) int answer(int x)
{
    static volatile int calls;

    calls = calls + 1;
    return x;
}

static void open_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int (*get)(void) = library ? reinterpret_cast<int (*)(void)>(dlsym(library, "get")) : nullptr;

    say("%d", get ? get() : -1);
}

/* answer N; program: the value of shared<of_program>; open PATH: the library's value */
static void command(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", answer(atoi(rest)));
    else if (strcmp(word, "program") == 0)
        say("%d", shared<of_program>::value);
    else
        open_library(rest);
}

int main()
{
    std::locale::global(std::locale(std::locale(), new unit(40)));
    return loop();
}
