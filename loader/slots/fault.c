/* fault.c - see fault.h. */
#include "loader/slots/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/text.h"
#include "loader/objects/object_meant.h"
#include "loader/text/thread_scan.h"
#include "resolve/symbol_spec.h"

uintptr_t fault_entry(const struct fault *fault)
{
    return (uintptr_t)fault_entries + (uintptr_t)(fault - fault_table) * fault_entry_size;
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

/* NAME=RETVAL[:ERRNO]; NAME may have a '=', as operator== does. */
static int parse_what(struct fault *fault, const char *what, char *target, size_t target_size,
                      struct refusal *why)
{
    const char *equals = strrchr(what, '=');
    const char *colon = strchr(equals, ':');
    char *end;

    if ((size_t)(equals - what) >= target_size)
        return refuse(why, HP_TARGET, "%.64s... is too long a target", what);
    memcpy(target, what, (size_t)(equals - what));
    target[equals - what] = '\0';
    errno = 0;
    fault->value =
        equals[1] == '-' ? strtoll(equals + 1, &end, 0) : (int64_t)strtoull(equals + 1, &end, 0);
    if (end == equals + 1 || *end != (colon ? ':' : '\0') || errno == ERANGE)
        return refuse(why, HP_VALUE, "%s: the value to return is no number", what);
    if (colon) {
        fault->error = errno_of(colon + 1);
        if (!fault->error)
            return refuse(why, HP_VALUE, "%s: %s is no errno", what, colon + 1);
    }
    return 0;
}

static int parse_caller(struct fault *fault, const char *caller, struct refusal *why)
{
    struct symbol_spec target = {0};

    if (snprintf(target.object, sizeof(target.object), "%s", caller) < (int)sizeof(target.object))
        for (const struct object *o = objects_first(); o; o = o->next)
            if (object_is_meant(o, &target)) {
                fault->caller_begin = o->begin;
                fault->caller_end = o->end;
                return 0;
            }
    return refuse(why, HP_NO_TARGET, "caller=%s: no such object is in the process", caller);
}

/* The request's NAME=RETVAL[:ERRNO] and terms, malloc'd; NULL: no memory. */
static char *describe(const struct request_fault *request)
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

/* ---- which entries are free ---- */

/* An entry rests REST_MS after its fault was reverted: less where all threads are seen outside of it, and
 * no more than SHORT_REST_MS where MANY rest. Of many the oldest that says the same is taken again at
 * once: a thread that is late in it meets the same terms. */
enum { LOOK_AT_LEAST = 32, MANY = 512, REST_MS = 10000, SHORT_REST_MS = 1000 };

static struct {
    size_t used;    /* entries that were ever taken: the first so many */
    size_t resting; /* of them, after free_rested() */
    size_t look_at; /* so many that rest, and the threads are looked at */
} row = {.look_at = LOOK_AT_LEAST};

static bool rests(const struct fault *fault)
{
    return fault->taken && fault->reverted;
}

static void set_free(struct fault *fault)
{
    free(fault->text);
    fault->text = NULL;
    __atomic_store_n(&fault->taken, false, __ATOMIC_RELEASE);
}

/* Free the entries that have rested for more than `ms`. */
static void free_rested(uint64_t now, uint64_t ms)
{
    row.resting = 0;
    for (struct fault *fault = fault_table; fault < fault_table + row.used; fault++) {
        if (!rests(fault))
            continue;
        if (now - fault->reverted >= ms)
            set_free(fault);
        else
            row.resting++;
    }
}

/* Free those that no thread is on its way through, by time or by a look at all threads. A look that
 * shows nothing, since a thread runs, is not made again before twice as many rest. */
static void free_what_is_left(void)
{
    uint64_t now = clock_ms();
    uintptr_t begin = (uintptr_t)fault_entries, end = (uintptr_t)fault_entries_end;

    free_rested(now, REST_MS);
    if (row.resting >= MANY)
        free_rested(now, SHORT_REST_MS);
    if (row.resting < row.look_at)
        return;
    if (thread_scan_has_left(begin - 1, end)) { /* both exclusive */
        free_rested(now, 0);
        row.look_at = LOOK_AT_LEAST;
    } else if (row.look_at < FAULT_COUNT) {
        row.look_at *= 2;
    }
}

static struct fault *oldest_that_says(const char *text)
{
    struct fault *oldest = NULL;

    for (struct fault *fault = fault_table; fault < fault_table + row.used; fault++)
        if (rests(fault) && strcmp(fault->text, text) == 0 &&
            (!oldest || fault->reverted < oldest->reverted))
            oldest = fault;
    return oldest;
}

/* Who is late in an entry goes on to what lay below its function, also before a commit says what does now, and
 * where none does. */
static void keep_way_on(struct fault *made, const struct fault *late)
{
    made->original = late->original;
    made->at_entry = late->at_entry;
    made->no_result = late->no_result;
    made->reached = true;
}

static struct fault *find_free(struct fault *made)
{
    struct fault *fault;

    free_what_is_left();
    fault = row.resting >= MANY ? oldest_that_says(made->text) : NULL;
    if (fault) {
        keep_way_on(made, fault);
        set_free(fault);
    }
    for (struct fault *f = fault_table; !fault && f < fault_table + row.used; f++)
        if (!f->taken)
            fault = f;
    return fault || row.used == FAULT_COUNT ? fault : &fault_table[row.used++];
}

/* Before the first fault, so that the function has none of its own yet. */
static void note_errno(void)
{
    if (!fault_errno_offset)
        fault_errno_offset = (intptr_t)&errno - (intptr_t)sys_thread();
}

struct fault *fault_new(const struct request_fault *request, char *target, size_t target_size,
                        struct refusal *why)
{
    struct fault made = {
        .nth = request->nth, .times = request->times, .probability = request->probability};
    struct fault *fault;

    if (parse_what(&made, request->what, target, target_size, why) != 0 ||
        (request->caller && parse_caller(&made, request->caller, why) != 0))
        return NULL;
    made.text = describe(request);
    if (!made.text) {
        refuse(why, HP_MEMORY, "make a fault: no memory");
        return NULL;
    }
    fault = find_free(&made);
    if (!fault) {
        refuse(why, HP_BUSY, "more than %d faults are applied, or were a moment ago", FAULT_COUNT);
        free(made.text);
        return NULL;
    }
    note_errno();
    if (request->seconds)
        made.until = clock_ms() + request->seconds * UINT64_C(1000);
    *fault = made;
    __atomic_store_n(&fault->taken, true, __ATOMIC_RELEASE);
    return fault;
}

void fault_end(struct fault *fault)
{
    fault->until = 0;
    fault->reverted = clock_ms();
    if (!fault->reached)
        set_free(fault);
}
