/* arming.c - see arming.h. */
#include "loader/transaction/arming.h"

#include "base/clock.h"
#include "base/services.h"
#include "base/sys_wait.h"
#include "loader/objects/maps_at.h"
#include "loader/objects/object.h"
#include "loader/text/near_alloc.h"
#include "loader/text/site.h"
#include "loader/text/text_poke.h"
#include "loader/transaction/own_calls.h"
#include "loader/transaction/pin.h"

/* ---- prepare ---- */

static bool writes_code(const struct change *change)
{
    return slot_writes_code(change->slot) && !change->slot->gone;
}

static bool any_writes_code(const struct transaction *transaction)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        if (slot_writes_code(c->slot))
            return true;
    return false;
}

static int prepare_all(void *context)
{
    struct transaction *transaction = context;

    for (struct change *c = transaction->changes; c; c = c->next)
        if (writes_code(c) && c->slot->ops->prepare(c, transaction->why) != 0)
            return -1;
    return own_calls_redirect(transaction);
}

int arming_prepare(struct transaction *transaction)
{
    if (!any_writes_code(transaction))
        return 0;
    if (pins_take(transaction) != 0)
        return -1;
    maps_keep(); /* the mappings are asked for many pads; no code is unmapped meanwhile */
    near_alloc_begin();
    maps_keep();
    if (objects_locked(prepare_all, transaction) != 0 && transaction->why->count == 0)
        refuse(transaction->why, HP_MEMORY, "look at the process: no memory");
    maps_forget();
    near_alloc_end();
    maps_forget();
    return transaction->why->count ? -1 : 0;
}

static int release_all(void *context)
{
    const struct transaction *transaction = context;

    for (struct change *c = transaction->changes; c; c = c->next)
        if (writes_code(c))
            c->slot->ops->release(c);
    return 0;
}

void arming_release(struct transaction *transaction)
{
    if (any_writes_code(transaction))
        objects_locked(release_all, transaction);
}

int arming_try(struct transaction *transaction)
{
    int result = 0;

    for (struct change *c = transaction->changes; c; c = c->next)
        if (writes_code(c) && c->slot->ops->claim(c, transaction->why) != 0)
            result = -1;
    release_all(transaction);
    return result;
}

/* ---- arm ---- */

/*
 * Jumps are put in and taken out in sections of SECTION_MS. A fork of the host waits for the end of a section and runs
 * between two sections. If a step fails because of a thread's present position or signal mask, a later section tries it
 * again, until the request's timeout.
 */
enum { SECTION_MS = 2, PAUSE_MS = 1, DISARM_MS = 300 };

/*
 * Short jumps wait for no thread and almost never fail. Up to SHORT_AT_COMMIT short jumps are left for the commit
 * itself. A pad must stay once a thread may have come to it. So a transaction that is refused before the commit has
 * written no pads.
 */
enum { SHORT_AT_COMMIT = 64 };

struct arming {
    struct transaction *transaction;
    struct change *next;  /* from this change on, no change is armed or disarmed yet */
    struct change *ahead; /* from this change on, arm_ahead() is not done either */
    bool out;             /* take the jumps out */
    bool without_short;
    struct site_problem why;
};

/* Sleep until `until`. nanosleep(3) is not used: functions of the host's libc are patched as well. */
static void pause_until(uint64_t until)
{
    static const uint32_t never;
    struct timespec limit = clock_spec(until);

    sys_futex_wait(&never, 0, &limit);
}

static uint64_t arm_until(const struct transaction *transaction)
{
    uint64_t until = clock_ms() + transaction->timeout;

    return until < transaction->deadline ? until : transaction->deadline;
}

static enum arm_need need_of(const struct arming *arming, const struct change *change)
{
    enum arm_need need;

    if (!writes_code(change))
        return ARM_NOTHING;
    need = change->slot->ops->arm_need(change);
    return need == ARM_SHORT && arming->without_short ? ARM_NOTHING : need;
}

static size_t count_short(const struct transaction *transaction)
{
    size_t count = 0;

    for (const struct change *c = transaction->changes; c; c = c->next)
        count += writes_code(c) && c->slot->ops->arm_need(c) == ARM_SHORT;
    return count;
}

/* Arm or disarm one slot if that is necessary. */
static int arm_one(struct arming *arming, struct change *change, uint64_t until)
{
    const struct slot_ops *ops = change->slot->ops;

    if (arming->out)
        return change->armed ? ops->disarm(change, until, &arming->why) : 0;
    return need_of(arming, change) == ARM_NOTHING ? 0 : ops->arm(change, until, &arming->why);
}

static bool is_armed_anew(const struct arming *arming, const struct change *change)
{
    enum arm_need need = need_of(arming, change);

    return need == ARM_SHORT || need == ARM_LONG;
}

/* Do the steps that can be done for many slots of one kind at once, from arming->next on. */
static void arm_ahead(struct arming *arming)
{
    struct change *changes[ARM_AHEAD_MAX];
    const struct slot_ops *ops = NULL;
    size_t count = 0;
    struct change *c = arming->next;

    for (; c && count < ARM_AHEAD_MAX; c = c->next) {
        if (!is_armed_anew(arming, c) || (ops && c->slot->ops != ops))
            continue;
        ops = c->slot->ops;
        changes[count++] = c;
    }
    if (ops)
        ops->arm_ahead(changes, count);
    arming->ahead = c;
}

/* Arm or disarm as many slots as the time of one section allows. */
static int arm_section(void *context)
{
    struct arming *arming = context;
    uint64_t until = clock_ms() + SECTION_MS;
    int result = 0;

    arming->why.code = 0;
    text_poke_hold();
    while (arming->next && result == 0 && clock_ms() < until) {
        if (!arming->out && arming->next == arming->ahead)
            arm_ahead(arming);
        result = arm_one(arming, arming->next, until);
        if (result == 0)
            arming->next = arming->next->next;
    }
    text_poke_release();
    return result;
}

bool arming_may_pass(int code)
{
    return code == HP_SIGTRAP_BLOCKED || code == HP_TIMEOUT;
}

/* Run sections until all slots are done. Return 0, or -1 with the reason in arming->why: arming->next cannot be armed
 * or disarmed. */
static int arm_until_done(struct arming *arming, uint64_t until)
{
    int result = 0;

    while (arming->next) {
        shim()->commit_begin();
        result = objects_locked(arm_section, arming);
        shim()->commit_end();
        if (result != 0 && (!arming_may_pass(arming->why.code) || clock_ms() >= until))
            break;
        if (result != 0)
            pause_until(clock_ms() + PAUSE_MS);
    }
    return arming->next ? -1 : 0;
}

int arming_arm(struct transaction *transaction)
{
    struct arming arming = {
        .transaction = transaction, .next = transaction->changes, .ahead = transaction->changes};
    int result;

    if (!any_writes_code(transaction))
        return 0;
    arming.without_short = count_short(transaction) <= SHORT_AT_COMMIT;
    shim()->arming(true);
    result = arm_until_done(&arming, arm_until(transaction));
    shim()->arming(false);
    if (result == 0)
        return 0;
    if (arming.why.code)
        refuse(transaction->why, (enum error_code)arming.why.code, "%s: %s",
               arming.next->slot->name, arming.why.text);
    arming_disarm(transaction);
    return -1;
}

int arming_arm_rest(struct transaction *transaction)
{
    struct arming arming = {.transaction = transaction, .next = transaction->changes};
    int result = 0;

    text_poke_hold();
    arm_ahead(&arming);
    for (struct change *c = transaction->changes; c && result == 0; c = c->next) {
        if (is_armed_anew(&arming, c))
            result = arm_one(&arming, c, clock_ms());
        if (result != 0)
            refuse(transaction->why, (enum error_code)arming.why.code, "%s: %s", c->slot->name,
                   arming.why.text);
    }
    text_poke_release();
    return result;
}

void arming_disarm(struct transaction *transaction)
{
    struct arming arming = {.transaction = transaction, .next = transaction->changes, .out = true};

    shim()->arming(true);
    while (arm_until_done(&arming, clock_ms() + DISARM_MS) != 0) {
        shim()->log(LOG_ERROR, "%s: its entry stays armed, without effect: %s",
                    arming.next->slot->name, arming.why.text);
        arming.next->armed = false;
        arming.next = arming.next->next;
    }
    shim()->arming(false);
}
