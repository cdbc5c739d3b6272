/* names a target that no manifest has room for */
#include <hotpatch.h>

#include "../hosts/parts/odd_names.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

HOTPATCH_MODULE("odd-endless", "1");

HOTPATCH_REPLACE_AS(int, replace_endless, (int n), ENDLESS_NAME)
{
    return n;
}
