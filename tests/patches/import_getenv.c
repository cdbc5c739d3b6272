/* answers for one variable, asks the original for the others */
#include <hotpatch.h>

#include <string.h>

HOTPATCH_MODULE("environment", "1");

HOTPATCH_REPLACE_AS(char *, patched_getenv, (const char *name), "getenv")
{
    static char value[] = "patched";
    if (strcmp(name, "HOTPATCH_TEST_VALUE") == 0)
        return value;
    return HOTPATCH_ORIGINAL(patched_getenv)(name);
}
