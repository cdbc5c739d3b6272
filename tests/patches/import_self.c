/* a replacement that calls what it replaces by its own name, by its address, and by name again */
#include <hotpatch.h>

#include <stdio.h>

HOTPATCH_MODULE("self", "1");

HOTPATCH_REPLACE_AS(int, wrapped, (const char *from, const char *to), "rename")
{
    int (*volatile by_address)(const char *, const char *) = rename;

    return 100 + rename(from, to) + by_address(from, to);
}
