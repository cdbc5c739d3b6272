/* replaces functions whose names are very long, or no UTF-8 */
#include <hotpatch.h>

#include "../hosts/parts/odd_names.h"

HOTPATCH_MODULE(LATIN_NAME "-fix", "1");

HOTPATCH_REPLACE_AS(int, replace_long, (int n), "exe:" LONG_NAME)
{
    return HOTPATCH_ORIGINAL(replace_long)(n) + 100;
}

HOTPATCH_REPLACE_AS(int, replace_latin, (int n), LATIN_NAME)
{
    return HOTPATCH_ORIGINAL(replace_latin)(n) + 200;
}

HOTPATCH_REPLACE_AS(int, replace_mixed, (int n), MIXED_NAME)
{
    return HOTPATCH_ORIGINAL(replace_mixed)(n) + 300;
}
