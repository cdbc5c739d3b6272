/* limit.c - see limit.h. */
#include "loader/slots/limit.h"

#include "base/clock.h"
#include "base/services.h"

enum { ASK_EVERY = 32 }; /* functions of a list: they take about a millisecond */

struct limit limit_of(const struct request *request)
{
    struct limit limit = {.until = request->deadline};
    uint64_t until = clock_ms() + request->timeout;

    if (request->timeout_given && (limit.until == 0 || until < limit.until))
        limit.until = until;
    return limit;
}

bool limit_reached(struct limit *limit)
{
    if (limit->late || limit->abandoned)
        return true;
    if (limit->asked++ % ASK_EVERY != 0)
        return false;
    limit->late = limit->until && clock_ms() >= limit->until;
    limit->abandoned = shim()->abandoned();
    return limit->late || limit->abandoned;
}

int limit_refuse(const struct limit *limit, struct refusal *why)
{
    if (limit->late)
        return refuse(why, HP_DEADLINE, "the time for the request was up before the list was made");
    return refuse(why, HP_DEADLINE, "nobody reads the reply any more: the list was not made");
}
