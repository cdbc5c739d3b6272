/* v2.c - a patch: up by a hundred. */
#include <hotpatch.h>

struct counter {
    long value;
};

HOTPATCH_MODULE("counter", "2");

HOTPATCH_REPLACE(const char *, counter_step, (struct counter * c))
{
    c->value += 100;
    return "up by a hundred";
}
