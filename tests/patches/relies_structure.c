/* says too little of its arguments: the function's own code tells that none lies on the stack */
#include "clobber.h"

HOTPATCH_MODULE("relies-structure", "1");

typedef struct {
    long x;
} point;

HOTPATCH_REPLACE(long, general, (point p))
{
    clobber();
    return 3 * p.x + 1;
}
