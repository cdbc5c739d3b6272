/*
 * swap.c - cross-modification of code on x86-64 (Intel SDM 3A, 9.1.3; AMD APM 2, 7.6.1).
 *
 * The jump is five bytes. What is safe depends on what they lie across:
 *
 * aligned  All five lie in one aligned word of eight, and the pages can be made writable: one store.
 *          A thread that enters sees the old or the new. One that had stopped at a boundary between
 *          old instructions finds an int3 there (a punned jump) and is sent to the moved prologue.
 * int3     An int3 on the first byte keeps threads out: they trap, and are sent on. Punned: int3
 *          on the boundaries too, for those already inside; else they are asked, by SIGILL, to
 *          leave. Then the rest, then the first byte, with every processor serialised between.
 * spin     Where some thread would not survive a trap (SIGTRAP blocked: the kernel ends the process;
 *          traced: the debugger keeps it): a jump to itself in place of the int3, for as long as it
 *          takes to see every such thread asleep elsewhere. If one is not, it is taken back, and
 *          tried again.
 *          Where an endbr64 stands before the jump, the jump to itself lies there, so that it never
 *          meets an old boundary, whatever the jump displaces.
 * proved   As aligned and punned, with such threads: they are asleep elsewhere before the store and
 *          have not run when looked at after it; else it is undone, and tried again. What no store
 *          reaches, because it straddles two words or the pages cannot be made writable, is changed
 *          with all of its page (exchange.h).
 *
 * What remains: one that begins to block SIGTRAP after it was looked at, and comes to a trap before the
 * last store; and in "proved" one that wakes between look and store and is inside at the store. These
 * are microseconds, and nothing holds such a thread where the first instruction is one byte long.
 *
 * Nothing here may call libc while the entry is held: its functions are patched as well.
 */
#include "swap.h"

#include <string.h>

#include "crowd.h"
#include "error.h"
#include "exchange.h"
#include "lock.h"
#include "poke.h"
#include "sys.h"

/* A thread that is asked to leave answers when it is given a processor. */
enum { JUMP_BYTES = 5, TRAP = 0xcc, ANSWER_MS = 100 };

static const uint8_t SPIN[2] = {0xeb, 0xfe};    /* jmp to itself */
static const uint8_t LANDING[2] = {0xf3, 0x0f}; /* how endbr64 begins */

/* One swap under way. */
struct work {
    const struct arch_swap *swap;
    struct poke poke;
    struct exchange exchange;
    struct crowd crowd;
    uintptr_t at;
    uintptr_t spin; /* where threads are held: there, or at the endbr64 before */
    uint8_t old[8], new[8];
    bool boundary[JUMP_BYTES]; /* an old instruction began there; not at 0 */
    bool inside;               /* a thread may have stopped at one of them */
    bool synced;               /* membarrier(2) works */
    bool stores_tried;
    bool again; /* to be chosen anew */
    uint64_t until;
    struct site_problem *why;
};

static int refuse_muted(struct work *work, const struct crowd_thread *thread, const char *what)
{
    char name[32];

    crowd_name(thread->tid, name);
    return site_refuse(work->why, HP_SIGTRAP_BLOCKED,
                       "thread %d (%s) blocks SIGTRAP or SIGILL, or is traced, %s",
                       (int)thread->tid, name, what);
}

static const struct crowd_thread *first_mute(const struct work *work)
{
    for (size_t i = 0; i < work->crowd.count; i++)
        if (work->crowd.threads[i].mute)
            return &work->crowd.threads[i];
    return NULL;
}

static void begin(struct work *work, const struct arch_swap *swap, bool in, uint64_t until,
                  struct site_problem *why)
{
    const struct arch_prologue *p = swap->prologue;

    memset(work, 0, sizeof(*work));
    work->swap = swap;
    work->at = work->spin = p->jump;
    memcpy(in ? work->old : work->new, p->bytes, JUMP_BYTES);
    memcpy(in ? work->new : work->old, swap->jump, JUMP_BYTES);
    for (unsigned i = 1; i < p->count; i++) {
        if (p->start[i] < JUMP_BYTES) {
            work->boundary[p->start[i]] = true;
            work->inside = in;
        }
    }
    work->until = until;
    work->why = why;
}

static bool open_code(struct work *work, bool by_store)
{
    uintptr_t from = work->swap->prologue->entry; /* with an endbr64 before the jump */
    int result = poke_open(&work->poke, from, work->at + JUMP_BYTES - from, work->swap->protection,
                           by_store);

    if (result != 0)
        site_refuse(work->why, HP_STORE, "write the function's code: %s", sys_error(result));
    work->stores_tried = by_store;
    return result == 0;
}

/* ---- pieces ---- */

static bool in_one_word(const struct work *work, uintptr_t at, size_t count)
{
    return work->poke.stores && (at & 7) + count <= 8;
}

static bool at_landing(const struct work *work)
{
    return work->spin != work->at;
}

/* A thread that is held before the jump could still be behind that place. */
static bool must_leave(const struct work *work)
{
    return work->inside || at_landing(work);
}

POKE_BARE static void store_all(const struct work *work, const uint8_t bytes[8])
{
    uintptr_t aligned = work->at & ~(uintptr_t)7;
    union {
        uint64_t word;
        uint8_t bytes[8];
    } now = {.word = __atomic_load_n((uint64_t *)aligned, __ATOMIC_RELAXED)};

    for (unsigned i = 0; i < JUMP_BYTES; i++)
        now.bytes[(work->at & 7) + i] = bytes[i];
    poke_store8(aligned, now.word);
}

/* All at once, by store or with the page. 0, or -errno. */
static int prepare_whole(struct work *work)
{
    if (in_one_word(work, work->at, JUMP_BYTES))
        return 0;
    return exchange_prepare(&work->exchange, work->at, work->new, JUMP_BYTES);
}

/* 0, or -errno: nothing has changed. */
static int put_whole(struct work *work)
{
    if (!in_one_word(work, work->at, JUMP_BYTES))
        return exchange_do(&work->exchange);
    store_all(work, work->new);
    return 0;
}

static void take_whole_back(struct work *work)
{
    if (in_one_word(work, work->at, JUMP_BYTES))
        store_all(work, work->old);
    else
        exchange_undo(&work->exchange);
}

/* Bytes `from` on: what begins at a boundary last, for a thread that traps there until then. */
static int put_tail(const struct work *work, const uint8_t bytes[8], unsigned from)
{
    int result = 0;

    for (unsigned i = from; i < JUMP_BYTES; i++)
        if (!work->boundary[i])
            result |= poke_byte(&work->poke, work->at + i, bytes[i]);
    poke_sync();
    for (unsigned i = from; i < JUMP_BYTES; i++)
        if (work->boundary[i])
            result |= poke_byte(&work->poke, work->at + i, bytes[i]);
    poke_sync();
    return result;
}

/* Whoever is between the old instructions leaves, by trap or by signal. */
static int clear_inside(struct work *work)
{
    uint64_t until = clock_ms() + ANSWER_MS;
    pid_t who = 0;
    int result;

    if (!work->inside)
        return 0;
    if (work->swap->punned) {
        for (unsigned i = 1; i < JUMP_BYTES; i++)
            if (work->boundary[i] && poke_byte(&work->poke, work->at + i, TRAP) != 0)
                return -1;
        poke_sync();
        return 0;
    }
    if (until < work->until)
        until = work->until;
    result = crowd_evacuate(&work->crowd, work->at, work->at + JUMP_BYTES, until, &who);
    if (result != 0)
        site_refuse(work->why, result == -ETIMEDOUT ? HP_TIMEOUT : HP_STORE,
                    "thread %d could not be made to leave the function's first instructions: %s",
                    (int)who, result == -ETIMEDOUT ? "no answer in time" : sys_error(result));
    return result;
}

static void wait_a_little(void)
{
    static const uint32_t never;
    struct timespec soon = clock_spec(clock_ms() + 2);

    sys_futex_wait(&never, 0, &soon);
}

/* ---- the ways ---- */

static const char *by_int3(struct work *work)
{
    int result = poke_byte(&work->poke, work->at, TRAP);
    bool cleared;

    poke_sync();
    cleared = result == 0 && clear_inside(work) == 0;
    if (cleared)
        result = put_tail(work, work->new, 1);
    if (cleared && result == 0)
        result = poke_byte(&work->poke, work->at, work->new[0]);
    poke_sync();
    if (cleared && result == 0)
        return !work->inside ? "single" : work->swap->punned ? "punned" : "evacuated";
    put_tail(work, work->old, 1);
    poke_byte(&work->poke, work->at, work->old[0]);
    poke_sync();
    if (!work->why->code)
        site_refuse(work->why, HP_STORE, "the function's code cannot be written");
    return NULL;
}

static const struct crowd_thread *look_again(struct work *work)
{
    static const struct crowd_thread unknown = {.mute = true};

    if (crowd_look(&work->crowd) != 0)
        return &unknown; /* nobody is seen, so nobody is seen outside */
    return crowd_asleep_outside(&work->crowd, work->spin, work->at + JUMP_BYTES);
}

/* A thread that is being made blocks every signal for a moment: who was mute may be so no more. */
static bool is_mute_no_more(struct work *work)
{
    work->again = must_leave(work) && work->crowd.mute == 0;
    return work->again;
}

/* The entry spins; everybody mute is asleep elsewhere. */
static bool hold_by_spin(struct work *work)
{
    const uint8_t *bytes = at_landing(work) ? LANDING : work->old;

    for (;;) {
        const struct crowd_thread *awake = must_leave(work) ? look_again(work) : NULL;

        if (is_mute_no_more(work))
            return false;
        if (!awake) {
            poke_store2(work->spin, SPIN);
            poke_sync();
            /* Anew: who was made meanwhile may be mute and inside. */
            if (!must_leave(work) || !look_again(work))
                return true;
            poke_store2(work->spin, bytes);
            poke_sync();
            awake = first_mute(work);
        }
        if (clock_ms() >= work->until) {
            if (awake)
                refuse_muted(work, awake, "and was not seen asleep outside the function in time");
            else
                site_refuse(work->why, HP_TIMEOUT, "no moment came to change the function");
            return false;
        }
        wait_a_little();
    }
}

static const char *by_spin(struct work *work)
{
    if (!hold_by_spin(work))
        return NULL;
    if (clear_inside(work) != 0) {
        put_tail(work, work->old, 2);
        poke_store2(work->at, work->old);
        poke_sync();
        return NULL;
    }
    put_tail(work, work->new, 2);
    poke_store2(work->at, work->new);
    poke_sync();
    return work->inside && !work->swap->punned ? "evacuated" : "spin";
}

/* Nobody who would not survive a trap is at the jump, or comes there. */
static const char *by_landing(struct work *work)
{
    const char *how;

    work->spin = work->swap->prologue->entry;
    if (!hold_by_spin(work))
        return NULL;
    how = by_int3(work);
    poke_store2(work->spin, LANDING);
    poke_sync();
    return how && (!work->inside || work->swap->punned) ? "spin" : how;
}

static const char *by_proof(struct work *work)
{
    for (;;) {
        int result = prepare_whole(work);
        const struct crowd_thread *awake = look_again(work);

        if (is_mute_no_more(work))
            return NULL;
        if (!awake && result == 0)
            result = put_whole(work);
        if (result != 0) {
            site_refuse(work->why, HP_STORE, "write the function's code: %s", sys_error(result));
            return NULL;
        }
        if (!awake) {
            poke_sync();
            if (crowd_has_slept_on(&work->crowd, work->at, work->at + JUMP_BYTES))
                return "proved";
            take_whole_back(work);
            poke_sync();
            awake = first_mute(work);
        }
        if (clock_ms() >= work->until) {
            if (awake)
                refuse_muted(work, awake, "and was not seen asleep outside the function in time");
            else
                site_refuse(work->why, HP_TIMEOUT, "no moment came to change the function");
            return NULL;
        }
        wait_a_little();
    }
}

static const char *by_store(struct work *work)
{
    store_all(work, work->new);
    if (work->synced)
        poke_sync_later();
    return work->inside ? "aligned, punned" : "aligned";
}

/* A thread that is being made, or runs a signal handler, blocks signals for a moment only. */
static bool may_pass(struct work *work)
{
    work->again = clock_ms() < work->until;
    if (work->again)
        wait_a_little();
    return work->again;
}

/* Does every way to the jump lead through an endbr64 that can be held? */
static bool has_landing(const struct work *work)
{
    const struct arch_prologue *p = work->swap->prologue;

    return p->entry != p->jump && !p->begun_again && in_one_word(work, p->entry, sizeof(SPIN));
}

/* Others than the mute ones may be inside, and no trap would meet them. That they are all seen asleep
 * elsewhere is no proof: any of them may wake before the store. */
static bool needs_evacuation(const struct work *work)
{
    return work->inside && !work->swap->punned;
}

/* With threads that would not survive a trap: two bytes at once need stores. */
static const char *with_mute(struct work *work)
{
    bool spin;

    if (!work->stores_tried) {
        poke_close(&work->poke);
        if (!open_code(work, true))
            return NULL;
    }
    work->spin = work->at;
    spin = in_one_word(work, work->at, sizeof(SPIN)) && !work->boundary[1];
    if (spin && work->synced)
        return by_spin(work);
    if (in_one_word(work, work->at, JUMP_BYTES) && !needs_evacuation(work))
        return by_proof(work);
    if (has_landing(work) && work->synced)
        return by_landing(work);
    if (!needs_evacuation(work) && prepare_whole(work) == 0)
        return by_proof(work);
    if (!may_pass(work))
        refuse_muted(work, first_mute(work),
                     needs_evacuation(work)
                         ? "and no jump with traps between the old instructions has a place"
                         : "and the function's code cannot be written in one store");
    return NULL;
}

static const char *choose(struct work *work)
{
    bool whole = in_one_word(work, work->at, JUMP_BYTES);
    int result;

    if (whole && !work->inside)
        return by_store(work);
    result = crowd_look(&work->crowd);
    if (result != 0) {
        site_refuse(work->why, HP_STORE, "list the threads, /proc/self/task: %s",
                    sys_error(result));
        return NULL;
    }
    if (work->crowd.mute > 0)
        return with_mute(work);
    if (whole && work->swap->punned)
        return by_store(work);
    if (work->synced)
        return by_int3(work);
    site_refuse(work->why, HP_STORE,
                "membarrier(2) is refused, so the code cannot be changed safely");
    return NULL;
}

static const char *run(const struct arch_swap *swap, bool in, uint64_t until,
                       struct site_problem *why)
{
    const sys_sigset traps = SYS_SIGBIT(SIGTRAP) | SYS_SIGBIT(SIGILL);
    sys_sigset mask;
    struct work work;
    const char *how = NULL;

    begin(&work, swap, in, until, why);
    why->code = 0;
    work.synced = poke_sync_ready() == 0;
    if (!open_code(&work, (work.at & 7) + JUMP_BYTES <= 8))
        return NULL;
    sys_sigprocmask(SIG_UNBLOCK, &traps, &mask);
    do {
        work.again = false;
        how = choose(&work);
    } while (work.again);
    sys_sigprocmask(SIG_SETMASK, &mask, NULL);
    poke_close(&work.poke);
    exchange_end(&work.exchange);
    return how;
}

const char *arch_swap_in(const struct arch_swap *swap, uint64_t until, struct site_problem *why)
{
    return run(swap, true, until, why);
}

const char *arch_swap_out(const struct arch_swap *swap, uint64_t until, struct site_problem *why)
{
    return run(swap, false, until, why);
}
