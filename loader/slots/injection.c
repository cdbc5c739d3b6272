/* injection.c - see injection.h. */
#include "loader/slots/injection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/text.h"
#include "loader/objects/object.h"
#include "loader/objects/object_meant.h"
#include "loader/text/thread_scan.h"
#include "resolve/symbol_spec.h"

uintptr_t injection_function(const struct injection *injection)
{
    return (uintptr_t)arch_injection_row +
           (uintptr_t)(injection - injection_table) * arch_injection_size;
}

/* ---- requests ---- */

static int errno_of(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end != text && *end == '\0')
        return number > 0 && number < 4096 ? (int)number : 0;
    for (int i = 1; i < 256; i++) {
        const char *name = strerrorname_np(i);

        if (name && strcmp(name, text) == 0)
            return i;
    }
    return 0;
}

/* Parse NAME=RETVAL[:ERRNO]. NAME may contain a '=', as operator== does. */
static int parse_what(struct injection *injection, const char *what, char *target,
                      size_t target_size, struct refusal *why)
{
    const char *equals = strrchr(what, '=');
    const char *colon = strchr(equals, ':');
    char *end;

    if ((size_t)(equals - what) >= target_size)
        return refuse(why, HP_TARGET, "%.64s... is too long a target", what);
    memcpy(target, what, (size_t)(equals - what));
    target[equals - what] = '\0';
    errno = 0;
    injection->value =
        equals[1] == '-' ? strtoll(equals + 1, &end, 0) : (int64_t)strtoull(equals + 1, &end, 0);
    if (end == equals + 1 || *end != (colon ? ':' : '\0') || errno == ERANGE)
        return refuse(why, HP_VALUE, "%s: the value to return is no number", what);
    if (colon) {
        injection->error = errno_of(colon + 1);
        if (!injection->error)
            return refuse(why, HP_VALUE, "%s: %s is no errno", what, colon + 1);
    }
    return 0;
}

static int parse_caller(struct injection *injection, const char *caller, struct refusal *why)
{
    struct symbol_spec target = {0};

    if (snprintf(target.object, sizeof(target.object), "%s", caller) < (int)sizeof(target.object))
        for (const struct object *o = objects_first(); o; o = o->next)
            if (object_is_meant(o, &target)) {
                injection->caller_begin = o->begin;
                injection->caller_end = o->end;
                return 0;
            }
    return refuse(why, HP_NO_TARGET, "caller=%s: no such object is in the process", caller);
}

/* Return the request's NAME=RETVAL[:ERRNO] and terms, malloc'd; NULL if there is no memory. */
static char *describe(const struct request_injection *request)
{
    char nth[32] = "", probability[48] = "", times[32] = "";

    if (request->nth)
        snprintf(nth, sizeof(nth), " nth=%llu", (unsigned long long)request->nth);
    if (request->probability)
        snprintf(probability, sizeof(probability), " probability=%u.%06u",
                 request->probability / 1000000, request->probability % 1000000);
    if (request->times)
        snprintf(times, sizeof(times), " times=%llu", (unsigned long long)request->times);
    return text_format("%s%s%s%s%s%s", request->what, nth, probability, times,
                       request->caller ? " caller=" : "", request->caller ? request->caller : "");
}

/* ---- free functions of the row ---- */

/* A function rests after its injection was reverted, for REST_MS. It rests for less if a look at all threads shows them
 * outside of the row, and for at most SHORT_REST_MS if MANY functions rest. If MANY rest, the oldest function with the
 * same text is used again at once: a thread that is still in it has the same terms. */
enum { LOOK_AT_LEAST = 32, MANY = 512, REST_MS = 10000, SHORT_REST_MS = 1000 };

static struct {
    size_t used;    /* the first `used` functions of the row were taken at least once */
    size_t resting; /* the number of them that rest, after free_rested() */
    size_t look_at; /* the threads are examined if at least this many functions rest */
} row = {.look_at = LOOK_AT_LEAST};

static bool rests(const struct injection *injection)
{
    return injection->taken && injection->reverted;
}

static void set_free(struct injection *injection)
{
    free(injection->text);
    injection->text = NULL;
    __atomic_store_n(&injection->taken, false, __ATOMIC_RELEASE);
}

/* Free the functions that have rested for more than `ms`. */
static void free_rested(uint64_t now, uint64_t ms)
{
    row.resting = 0;
    for (struct injection *injection = injection_table; injection < injection_table + row.used;
         injection++) {
        if (!rests(injection))
            continue;
        if (now - injection->reverted >= ms)
            set_free(injection);
        else
            row.resting++;
    }
}

/* Free the functions that no thread is in: by time, or by a look at all threads. If the look fails because a thread
 * runs, the next look is made when twice as many functions rest. */
static void free_what_is_left(void)
{
    uint64_t now = clock_ms();
    uintptr_t begin = (uintptr_t)arch_injection_row, end = (uintptr_t)arch_injection_row_end;

    free_rested(now, REST_MS);
    if (row.resting >= MANY)
        free_rested(now, SHORT_REST_MS);
    if (row.resting < row.look_at)
        return;
    if (thread_scan_has_left(begin - 1, end)) { /* both bounds are exclusive */
        free_rested(now, 0);
        row.look_at = LOOK_AT_LEAST;
    } else if (row.look_at < ARCH_INJECTIONS) {
        row.look_at *= 2;
    }
}

static struct injection *oldest_with_text(const char *text)
{
    struct injection *oldest = NULL;

    for (struct injection *injection = injection_table; injection < injection_table + row.used;
         injection++)
        if (rests(injection) && strcmp(injection->text, text) == 0 &&
            (!oldest || injection->reverted < oldest->reverted))
            oldest = injection;
    return oldest;
}

/* Let a thread that is still in the function pass its call to the old original, until a commit stores a new original;
 * without a commit, always. */
static void keep_original(struct injection *made, const struct injection *late)
{
    made->original = late->original;
    made->at_entry = late->at_entry;
    made->no_result = late->no_result;
    made->reached = true;
}

static struct injection *find_free(struct injection *made)
{
    struct injection *injection;

    free_what_is_left();
    injection = row.resting >= MANY ? oldest_with_text(made->text) : NULL;
    if (injection) {
        keep_original(made, injection);
        set_free(injection);
    }
    for (struct injection *f = injection_table; !injection && f < injection_table + row.used; f++)
        if (!f->taken)
            injection = f;
    return injection || row.used == ARCH_INJECTIONS ? injection : &injection_table[row.used++];
}

/* Find the offset of errno. Called before the first injection, so that __errno_location(3) is not replaced yet. */
static void find_errno(void)
{
    if (!injection_errno_offset)
        injection_errno_offset = (intptr_t)&errno - (intptr_t)sys_thread();
}

struct injection *injection_new(const struct request_injection *request, char *target,
                                size_t target_size, struct refusal *why)
{
    struct injection made = {
        .nth = request->nth, .times = request->times, .probability = request->probability};
    struct injection *injection;

    if (parse_what(&made, request->what, target, target_size, why) != 0 ||
        (request->caller && parse_caller(&made, request->caller, why) != 0))
        return NULL;
    made.text = describe(request);
    if (!made.text) {
        refuse(why, HP_MEMORY, "make a fault: no memory");
        return NULL;
    }
    injection = find_free(&made);
    if (!injection) {
        refuse(why, HP_BUSY, "more than %d faults are applied, or were a moment ago",
               ARCH_INJECTIONS);
        free(made.text);
        return NULL;
    }
    find_errno();
    if (request->seconds)
        made.until = clock_ms() + request->seconds * UINT64_C(1000);
    *injection = made;
    __atomic_store_n(&injection->taken, true, __ATOMIC_RELEASE);
    return injection;
}

void injection_end(struct injection *injection)
{
    injection->until = 0;
    injection->reverted = clock_ms();
    if (!injection->reached)
        set_free(injection);
}
