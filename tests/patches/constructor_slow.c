/* its constructor takes a while, in which the dynamic linker's lock is held */
#include <hotpatch.h>
#include <unistd.h>

HOTPATCH_MODULE("slow", "1");
HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

__attribute__((constructor)) static void begin(void)
{
    usleep(20000);
}
