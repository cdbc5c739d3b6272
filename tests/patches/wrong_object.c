/* made for a library that the host does not have */
#include <hotpatch.h>

HOTPATCH_MODULE("wrong-object", "1");
HOTPATCH_TARGET("libnothere.so.1", "00112233445566778899aabbccddeeff00112233");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
