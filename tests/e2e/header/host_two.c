/* host_two.c - the host's second file: its slots share the object's one table. */
#include "host.h"

HOTPATCH_DATA(const char *, greeting, "hello");

HOTPATCH_FUNCTION(int, two, (void))
{
    return 2;
}

int other_file_result(void)
{
    return two() + add(20, 10) + sum_all(2, 4, 6) + (int)missing_large(3).words[0];
}
