/* its constructor allocates and starts nothing */
#include <hotpatch.h>

#include <stdlib.h>

static int *value;

__attribute__((constructor)) static void begin(void)
{
    value = (int *)malloc(sizeof(*value));
    if (value)
        *value = 2;
}

HOTPATCH_MODULE("constructor-malloc", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return value ? *value : -1;
}
