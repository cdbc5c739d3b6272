/* ends the process from its constructor */
#include <hotpatch.h>

#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
    exit(3);
}

HOTPATCH_MODULE("constructor-exit", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
