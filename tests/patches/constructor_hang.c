/* never comes back from its constructor */
#include <hotpatch.h>

#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    for (;;)
        pause();
}

HOTPATCH_MODULE("constructor-hang", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
