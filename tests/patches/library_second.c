/* picks the library's of two slots of one name */
#include <hotpatch.h>

HOTPATCH_MODULE("library-second", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "library:second")
{
    return 12;
}
