/* libanswer2.c - version 2 of the one-function module that the benchmarks load. */
#include <hotpatch.h>

HOTPATCH_MODULE("bench-answer", "2");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
