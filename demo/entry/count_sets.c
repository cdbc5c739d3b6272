/* count_sets.c - counts the calls of redis's SET, then calls the original function: a wrapper around an
 * unchanged function. */
#include <hotpatch.h>

#include <stdio.h>

HOTPATCH_MODULE("count-sets", "1");

struct client;
static unsigned long sets;

HOTPATCH_REPLACE(void, setCommand, (struct client * c))
{
    if (++sets % 100000 == 0)
        fprintf(stderr, "%lu times SET\n", sets);
    HOTPATCH_ORIGINAL(setCommand)(c);
}
