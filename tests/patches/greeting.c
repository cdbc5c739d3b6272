/* exchanges data */
#include <hotpatch.h>

HOTPATCH_MODULE("greeting", "1");

HOTPATCH_REPLACE_DATA(const char *, greeting, "hallo");
