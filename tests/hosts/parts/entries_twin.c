/*
 * entries_twin.c - the second file of hosts/entries.c: a static function of the same name as one
 * there.
 */
#include "entries_twin.h"

static OPAQUE int twin(void)
{
    return 20;
}

static OPAQUE int uneven_twin(void)
{
    return 0;
}

int call_second_twin(void)
{
    return twin() + uneven_twin();
}
