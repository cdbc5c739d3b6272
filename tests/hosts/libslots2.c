/*
 * libslots2.c - libslots.c after an edit: the same slot at another address, with another answer.
 */
#include <hotpatch.h>

int library_answer(void);
int library_answer_twice(void);

HOTPATCH_NAMESPACE("library");

HOTPATCH_FUNCTION(int, added_before, (void))
{
    return 1;
}

HOTPATCH_FUNCTION(int, library_value, (void))
{
    return 41;
}

HOTPATCH_FUNCTION(int, added_behind, (void))
{
    return 2;
}

int library_answer(void)
{
    return library_value();
}

int library_answer_twice(void)
{
    return 2 * library_value() + added_before() - added_behind();
}
