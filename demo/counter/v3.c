/* v3.c - a patch: doubled. */
#include <hotpatch.h>

struct counter {
    long value;
};

HOTPATCH_MODULE("counter", "3");

HOTPATCH_REPLACE(const char *, counter_step, (struct counter * c))
{
    c->value *= 2;
    return "doubled";
}
