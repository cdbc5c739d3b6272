/* a longjmp(3) passes through it and through the moved prologue that it calls */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-leave", "1");

HOTPATCH_REPLACE(int, leave, (int value))
{
    return HOTPATCH_ORIGINAL(leave)(value > 0 ? value + 100 : value) + 200;
}
