/* says too little of its arguments, and the function's own code takes their address */
#include "clobber.h"

HOTPATCH_MODULE("relies-indexed", "1");

typedef struct {
    long words[6];
} row;

HOTPATCH_REPLACE(long, indexed, (long n, row r))
{
    clobber();
    return r.words[n] + 1;
}
