/* returns a structure, which may lie in rax or not */
#include "clobber.h"

HOTPATCH_MODULE("relies-result-unknown", "1");

typedef struct {
    long x;
} point;

HOTPATCH_REPLACE(point, sometimes, (int x))
{
    clobber();
    return (point){x + 6};
}
