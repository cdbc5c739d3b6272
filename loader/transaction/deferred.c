/*
 * deferred.c - see deferred.h.
 *
 * Called by the listener; deferred_at() is called without the engine lock.
 */
#include "loader/transaction/deferred.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/services.h"
#include "base/text.h"
#include "loader/module/module.h"
#include "loader/slots/entry_arm.h"
#include "loader/slots/injection_decide.h"
#include "loader/text/site.h"
#include "loader/transaction/commit.h"

static struct {
    /* CLOCK_MONOTONIC ms: when words that ld.so's resolver may overwrite are read again; 0: never */
    uint64_t due;
    unsigned delay;     /* ms from that reading to the next */
    uint64_t injection; /* CLOCK_MONOTONIC ms: when the next injection ends by itself; 0: never */
} pending;

enum { LOOK_FIRST_MS = 1, LOOK_LAST_MS = 1024 };

void deferred_plan(void)
{
    uint64_t injection = 0;

    if (commit_take_look_again()) {
        pending.delay = LOOK_FIRST_MS;
        __atomic_store_n(&pending.due, clock_ms() + LOOK_FIRST_MS, __ATOMIC_RELEASE);
    }
    for (const struct module *m = module_first(); m; m = m->next)
        if (m->live && m->injection && m->injection->until &&
            (!injection || m->injection->until < injection))
            injection = m->injection->until;
    __atomic_store_n(&pending.injection, injection, __ATOMIC_RELEASE);
}

uint64_t deferred_at(void)
{
    uint64_t due = __atomic_load_n(&pending.due, __ATOMIC_ACQUIRE);
    uint64_t injection = __atomic_load_n(&pending.injection, __ATOMIC_ACQUIRE);

    return !due || (injection && injection < due) ? injection : due;
}

static void look_again(uint64_t at)
{
    if (!pending.due || at < pending.due)
        return;
    commit_verify_imports();
    entries_read_hits();
    sites_deferred();
    pending.delay *= 4;
    __atomic_store_n(&pending.due, pending.delay > LOOK_LAST_MS ? 0 : at + pending.delay,
                     __ATOMIC_RELEASE);
}

bool deferred_do(struct request *request)
{
    static char *name; /* valid for the caller until the next call */
    uint64_t at = clock_ms();

    look_again(at);
    for (const struct module *m = module_first(); m; m = m->next) {
        if (!m->live || !m->injection || !m->injection->until || at < m->injection->until)
            continue;
        free(name);
        name = text_copy(m->name);
        if (!name)
            return false; /* the next reading decides */
        *request = (struct request){.verb = REQUEST_REVERT,
                                    .timeout = REQUEST_TIMEOUT_DEFAULT,
                                    .id = "",
                                    .reply = "",
                                    .which = REVERT_NAME,
                                    .name = name};
        return true;
    }
    return false;
}
