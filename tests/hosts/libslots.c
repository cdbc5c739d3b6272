/*
 * libslots.c - a library with slots and its own namespace, linked or opened by dlopen(3).
 */
#include <hotpatch.h>

int library_answer(void);
int library_answer_twice(void);

HOTPATCH_NAMESPACE("library");

HOTPATCH_FUNCTION(int, library_value, (void))
{
    return 40;
}

/* The main program declares this name, too. */
HOTPATCH_FUNCTION(int, second, (void))
{
    return 11;
}

int library_answer(void)
{
    return library_value();
}

int library_answer_twice(void)
{
    return 2 * library_value() + second();
}
