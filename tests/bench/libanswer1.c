/* libanswer1.c - version 1 of the one-function module that the benchmarks load. */
#include <hotpatch.h>

HOTPATCH_MODULE("bench-answer", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 1;
}
