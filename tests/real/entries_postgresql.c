/*
 * entries_postgresql.c - int4pl of postgres, which adds: replaced or, with -DWRAP, wrapped.
 *
 * 4242 + 1 is 5000 or 6000; other sums are what they were.
 */
#include <hotpatch.h>

#include <stdbool.h>
#include <stdint.h>

HOTPATCH_MODULE("entries", TEXT);

/* What is used of fmgr.h of postgres 15. */
typedef uintptr_t Datum;
struct argument {
    Datum value;
    bool is_null;
};
struct call {
    void *function, *context, *result;
    unsigned collation;
    bool is_null;
    short count;
    struct argument arguments[2];
};

static int32_t argument(const struct call *call, int which)
{
    return (int32_t)call->arguments[which].value;
}

static bool is_probe(const struct call *call)
{
    return argument(call, 0) == 4242 && argument(call, 1) == 1;
}

HOTPATCH_REPLACE(Datum, int4pl, (struct call * call))
{
#ifdef WRAP
    Datum sum = HOTPATCH_ORIGINAL(int4pl)(call);

    return is_probe(call) ? 6000 : sum;
#else
    if (is_probe(call))
        return 5000;
    return (Datum)(intptr_t)(argument(call, 0) + argument(call, 1));
#endif
}
