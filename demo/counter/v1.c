/* v1.c - a patch: up by ten. */
#include <hotpatch.h>

struct counter {
    long value;
};

HOTPATCH_MODULE("counter", "1");

HOTPATCH_REPLACE(const char *, counter_step, (struct counter * c))
{
    c->value += 10;
    return "up by ten";
}
