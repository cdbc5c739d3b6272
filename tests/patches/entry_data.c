/* data in the place of a function that nobody declared */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-data", "1");

HOTPATCH_REPLACE_DATA(int, second, 5);
