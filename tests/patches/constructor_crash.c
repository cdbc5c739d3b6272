/* crashes before anything can be checked */
#include <hotpatch.h>

#include <signal.h>

__attribute__((constructor)) static void begin(void)
{
    raise(SIGSEGV);
}

HOTPATCH_MODULE("constructor-crash", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
