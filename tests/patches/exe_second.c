/* picks the program's of two slots of one name */
#include <hotpatch.h>

HOTPATCH_MODULE("exe-second", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "exe:second")
{
    return 12;
}
