/* its first replacement fits, the others do not: nothing may change */
#include <hotpatch.h>

HOTPATCH_MODULE("half-wrong", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

HOTPATCH_REPLACE(int, nothing_of_that_name, (void))
{
    return 2;
}

HOTPATCH_REPLACE(long, second, (char *text))
{
    return text[0];
}
