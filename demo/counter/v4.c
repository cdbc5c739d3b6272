/* v4.c - a patch: down by one; it calls the function that was live before. */
#include <hotpatch.h>

struct counter {
    long value;
};

HOTPATCH_MODULE("counter-down", "4");

HOTPATCH_REPLACE(const char *, counter_step, (struct counter * c))
{
    HOTPATCH_ORIGINAL(counter_step)(c);
    c->value -= 2;
    return "down by one";
}
