/* one module with two replacements of one slot */
#include <hotpatch.h>

HOTPATCH_MODULE("twice", "1");

HOTPATCH_REPLACE_AS(int, one, (void), "answer")
{
    return 2;
}

HOTPATCH_REPLACE_AS(int, two, (void), "exe:answer")
{
    return 3;
}
