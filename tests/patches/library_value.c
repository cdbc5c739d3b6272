/* names a library by its namespace */
#include <hotpatch.h>

HOTPATCH_MODULE("library-value", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "library:library_value")
{
    return 42;
}
