/* fault.c - see fault.h. */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "sys.h"
#include "target.h"
#include "text.h"

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
    struct target target = {0};

    if (snprintf(target.object, sizeof(target.object), "%s", caller) < (int)sizeof(target.object))
        for (const struct object *o = objects_first(); o; o = o->next)
            if (target_object_matches(&target, o->is_program, o->path, o->soname, o->name_space)) {
                fault->caller_begin = o->begin;
                fault->caller_end = o->end;
                return 0;
            }
    return refuse(why, HP_NO_TARGET, "caller=%s: no such object is in the process", caller);
}

/* One that was never used, else the one that has rested longest. */
static struct fault *find_free(void)
{
    uint64_t now = engine_now_ms();
    struct fault *oldest = NULL;

    for (size_t i = 0; i < FAULT_COUNT; i++) {
        struct fault *fault = &fault_table[i];

        if (!fault->taken)
            return fault;
        if (fault->reverted && now - fault->reverted > FAULT_REST_SECONDS * UINT64_C(1000) &&
            (!oldest || fault->reverted < oldest->reverted))
            oldest = fault;
    }
    return oldest;
}

char *fault_text(const struct request_fault *request)
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

/* Before the first fault, so that the function has none of its own yet. */
static void note_errno(void)
{
    if (!fault_errno_offset)
        fault_errno_offset = (intptr_t)&errno - (intptr_t)sys_thread();
}

struct fault *fault_new(const struct request_fault *request, char *target, size_t target_size,
                        struct refusal *why)
{
    struct fault *fault = find_free();

    if (!fault) {
        refuse(why, HP_BUSY, "more than %d faults within %d seconds", FAULT_COUNT,
               FAULT_REST_SECONDS);
        return NULL;
    }
    note_errno();
    *fault = (struct fault){
        .nth = request->nth, .times = request->times, .probability = request->probability};
    if (parse_what(fault, request->what, target, target_size, why) != 0 ||
        (request->caller && parse_caller(fault, request->caller, why) != 0))
        return NULL;
    if (request->seconds)
        fault->until = engine_now_ms() + request->seconds * UINT64_C(1000);
    __atomic_store_n(&fault->taken, true, __ATOMIC_RELEASE);
    return fault;
}

/* Its counters stay, and so does its way to the original. */
void fault_end(struct fault *fault)
{
    fault->reverted = engine_now_ms();
    fault->until = 0;
}
