/* made for another build of the program */
#include <hotpatch.h>

HOTPATCH_MODULE("wrong-build", "1");
HOTPATCH_TARGET("exe", "00112233445566778899aabbccddeeff00112233");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
