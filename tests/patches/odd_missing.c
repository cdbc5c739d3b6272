/* replaces what the process does not have, of a name that is very long */
#include <hotpatch.h>

#include "../hosts/parts/odd_names.h"

HOTPATCH_MODULE("odd-missing", "1");

HOTPATCH_REPLACE_AS(int, replace_missing, (int n), LONG_NAME "_missing\xe9")
{
    return n;
}
