/* data where the slot holds a function */
#include <hotpatch.h>

HOTPATCH_MODULE("data-for-function", "1");

HOTPATCH_REPLACE_DATA(int, answer, 2);
