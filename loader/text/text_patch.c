/*
 * text_patch.c - cross-modification of code (Intel SDM 3A, 9.1.3; AMD APM 2, 7.6.1).
 *
 * The jump has five bytes, and all of them change at once. One store changes them if they lie in one aligned word of
 * eight bytes and the pages can be made writable. Else the page is replaced (page_replace.h). A thread that comes to
 * the entry executes the old instructions or the jump, never a part of each. After every change membarrier(2)
 * serialises all processors.
 *
 * If the jump displaces one instruction, and on disarming, no other step is needed: no thread is inside. If the jump
 * displaces several instructions, a thread may have stopped between two of them. It would continue in the middle of the
 * jump. A punned jump has traps (int3) there, which send such a thread to the relocated prologue, if the thread
 * survives the trap: the kernel ends the process if the thread blocks SIGTRAP or if the action is the default. A
 * program may block, reset or replace SIGTRAP at any moment: by system calls of its own, by a handler's sa_mask, by a
 * jump out of a handler. A child that shares the memory (vfork, posix_spawn) has dispositions of its own. The threads
 * are held first, so that a thread that was checked cannot change its state before it meets the trap:
 *
 * held     The first change writes a jump that holds (arch_hold_first()). It leads new calls to the same stub. At old
 *          boundaries it has no trap, but the old instruction, or a jump to itself. So a thread inside continues in the
 *          old code, or stays, and cannot make a system call. Then every thread is checked. A thread that does not
 *          block SIGTRAP will not block it before it leaves. A thread that blocks SIGTRAP, or is traced, must be asleep
 *          outside, and no word of its stack may lead inside (a signal frame). No thread may be inside vfork(2),
 *          clone(2) or clone3(2). SIGTRAP's action must be the engine's. Then the second change writes the punned jump:
 *          a held thread meets the trap. If a condition is not met, the old bytes are written again, and the held
 *          threads continue in them. The attempt is repeated until the time is over.
 *          If the jump has no traps (no place for such a jump), all threads are asked to leave before the second
 *          change.
 * proved   Used if the jump that holds has no place, or if a thread has a real-time policy (a jump to itself would keep
 *          its processor from the thread that has to end it). Threads that would not survive a trap must be asleep
 *          outside before the change, and must not have run when they are checked after the change. Else the change is
 *          undone.
 * int3     Used if the page can be changed in neither way, or if neither jump has a place. An int3 is on the first byte
 *          while threads are asked to leave (SIGILL). Allowed only if no thread blocks SIGTRAP, no handler's sa_mask
 *          blocks it, and the action is the engine's.
 *
 * No thread can meet the trap of a punned jump later: every thread has been outside since the entry led to the jump,
 * and no jump leads to the old boundaries (prologue.c looks for them). The trap stays for threads that execute a first
 * byte that another tool (a uprobe, a debugger) has restored.
 *
 * Cases that are not covered. held: another thread replaces SIGTRAP's action between the check and the second change,
 * or before a held thread gets a processor; or a thread is in the kernel just before it waits for its vfork child, and
 * that child is inside. proved: a thread that wakes between the check and the change is inside at the change. int3:
 * system calls of other threads between the check and the last byte.
 *
 * fork: a child has the old code, a jump, or the jump that holds, each of them whole. (With int3 it may have a
 * part: sites_after_fork().)
 *
 * No function of this file may call libc while the entry is held: functions of libc are patched as well.
 */
#include "loader/text/text_patch.h"

#include <string.h>

#include "base/clock.h"
#include "base/refusal.h"
#include "base/slot_names.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "loader/text/page_replace.h"
#include "loader/text/text_poke.h"
#include "loader/text/thread_scan.h"
#include "loader/text/trap.h"

/* A thread that is asked to leave answers when it gets a processor. */
enum { HOLD_MS = 2, ANSWER_MS = 100 };

/* All bytes of the jump, which change at once. */
struct byte_change {
    uint8_t bytes[8];
    struct page_replace replaced; /* used if no single store changes the bytes */
};

/* The state of one change of an entry. */
struct patch_work {
    const struct text_patch *patch;
    struct text_poke poke;
    struct thread_scan scan;
    uintptr_t at;
    struct byte_change old, hold, new;
    bool boundary[ARCH_LONG_BYTES]; /* an old instruction began there; not set at 0 */
    bool inside;                    /* a thread may have stopped at a boundary */
    bool synced;                    /* membarrier(2) works */
    bool stores;                    /* one store changes all bytes */
    uint64_t until;
    struct site_problem *why;
};

/* Reasons why a change was undone that no thread causes. */
static const struct scanned_thread foreign_action, masking_handler;

static void begin(struct patch_work *work, const struct text_patch *patch, bool in, uint64_t until,
                  struct site_problem *why)
{
    const struct arch_prologue *p = patch->prologue;

    memset(work, 0, sizeof(*work));
    work->patch = patch;
    work->at = p->jump;
    memcpy(in ? work->old.bytes : work->new.bytes, p->bytes, ARCH_LONG_BYTES);
    memcpy(in ? work->new.bytes : work->old.bytes, patch->jump, ARCH_LONG_BYTES);
    memcpy(work->hold.bytes, patch->hold, ARCH_LONG_BYTES);
    for (unsigned i = 1; i < p->count; i++) {
        if (p->start[i] < ARCH_LONG_BYTES) {
            work->boundary[p->start[i]] = true;
            work->inside = in;
        }
    }
    work->poke.memory = -1;
    work->until = until;
    work->why = why;
}

/* ---- texts of refusals ---- */

static const char *refuse_store(struct patch_work *work, int error)
{
    site_refuse(work->why, HP_STORE, "write the function's code: %s", sys_error(error));
    return NULL;
}

static const char *refuse_thread(struct patch_work *work, const struct scanned_thread *thread)
{
    char name[32];

    if (thread == &foreign_action) {
        site_refuse(work->why, HP_SIGTRAP_BLOCKED,
                    "the program has set an action of its own for SIGTRAP meanwhile");
        return NULL;
    }
    if (thread == &masking_handler) {
        site_refuse(work->why, HP_SIGTRAP_BLOCKED,
                    "a signal handler of the program blocks SIGTRAP while it runs (sa_mask)");
        return NULL;
    }
    thread_scan_name(thread->entry, name);
    if (thread->forks)
        site_refuse(work->why, HP_SIGTRAP_BLOCKED,
                    "a child that thread %d (%s) has made runs in the program's memory (vfork, "
                    "posix_spawn)",
                    (int)thread->tid, name);
    else
        site_refuse(
            work->why, HP_SIGTRAP_BLOCKED,
            "thread %d (%s) blocks SIGTRAP or SIGILL, or is traced, and was not seen asleep "
            "outside the function in time",
            (int)thread->tid, name);
    return NULL;
}

/* ---- changes ---- */

/* Store the bytes with the rest of their word. No other thread changes the rest: the engine lock is held. */
POKE_BARE static void store_at_sites(const struct patch_work *work, const uint8_t bytes[8])
{
    uintptr_t aligned = work->at & ~(uintptr_t)7;
    union {
        uint64_t word;
        uint8_t bytes[8];
    } now = {.word = __atomic_load_n((uint64_t *)aligned, __ATOMIC_RELAXED)};

    for (unsigned i = 0; i < ARCH_LONG_BYTES; i++)
        now.bytes[(work->at & 7) + i] = bytes[i];
    text_poke_store8(aligned, now.word);
}

static void sync_all(const struct patch_work *work)
{
    if (work->synced)
        text_poke_sync();
}

/* Prepare the change. Return 0, or -errno. Allocates pages, so it is called before the first change. */
static int prepare_way(struct patch_work *work, struct byte_change *change)
{
    return work->stores
               ? 0
               : page_replace_prepare(&change->replaced, work->at, change->bytes, ARCH_LONG_BYTES);
}

/* Make the change. Return 0, or -errno with nothing changed. */
static int put_bytes(struct patch_work *work, struct byte_change *change)
{
    int result = 0;

    if (work->stores)
        store_at_sites(work, change->bytes);
    else
        result = page_replace_do(&change->replaced);
    if (result == 0)
        sync_all(work);
    return result;
}

static int prepare_ways(struct patch_work *work, bool hold)
{
    int result = prepare_way(work, &work->old);

    if (result == 0)
        result = prepare_way(work, &work->new);
    return result == 0 && hold ? prepare_way(work, &work->hold) : result;
}

static bool open_store(struct patch_work *work)
{
    if ((work->at & 7) + ARCH_LONG_BYTES > 8)
        return false;
    if (text_poke_open(&work->poke, work->at, ARCH_LONG_BYTES, work->patch->protection, true) != 0)
        return false;
    if (!work->poke.stores)
        text_poke_close(&work->poke);
    return work->poke.stores;
}

static void wait_a_little(void)
{
    static const uint32_t never;
    struct timespec soon = clock_spec(clock_ms() + 1);

    sys_futex_wait(&never, 0, &soon);
}

/* ---- int3 ---- */

/* Write the bytes from `from` on. The bytes at boundaries are written last: a thread traps there until then. */
static int put_tail(const struct patch_work *work, const uint8_t bytes[8], unsigned from)
{
    int result = 0;

    for (unsigned i = from; i < ARCH_LONG_BYTES; i++)
        if (!work->boundary[i])
            result |= text_poke_byte(&work->poke, work->at + i, bytes[i]);
    text_poke_sync();
    for (unsigned i = from; i < ARCH_LONG_BYTES; i++)
        if (work->boundary[i])
            result |= text_poke_byte(&work->poke, work->at + i, bytes[i]);
    text_poke_sync();
    return result;
}

/* Wait until no thread is between the old instructions or may come back there. Threads that are there continue in the
 * relocated prologue. The entry is held. */
static int evacuate(struct patch_work *work)
{
    uint64_t until = clock_ms() + ANSWER_MS;
    pid_t who = 0;
    int result;

    if (until < work->until)
        until = work->until;
    result = thread_scan_evacuate(&work->scan, work->at, work->at + ARCH_LONG_BYTES, until, &who);
    if (result != 0)
        site_refuse(work->why, result == -ETIMEDOUT || result == -EAGAIN ? HP_TIMEOUT : HP_STORE,
                    "thread %d could not be made to leave the function's first instructions: %s",
                    (int)who,
                    result == -ETIMEDOUT ? "no answer in time"
                    : result == -EAGAIN  ? "its user's pending signals are at RLIMIT_SIGPENDING"
                                         : sys_error(result));
    return result;
}

/* Make the threads between the old instructions leave, by trap or by signal. */
static int clear_inside(struct patch_work *work)
{
    if (!work->inside)
        return 0;
    if (!work->patch->punned)
        return evacuate(work);
    for (unsigned i = 1; i < ARCH_LONG_BYTES; i++)
        if (work->boundary[i] && text_poke_byte(&work->poke, work->at + i, ARCH_TRAP_BYTE) != 0)
            return -1;
    text_poke_sync();
    return 0;
}

static const char *put_by_int3(struct patch_work *work)
{
    int result = text_poke_byte(&work->poke, work->at, ARCH_TRAP_BYTE);
    bool cleared;

    text_poke_sync();
    cleared = result == 0 && clear_inside(work) == 0;
    if (cleared)
        result = put_tail(work, work->new.bytes, 1);
    if (cleared && result == 0)
        result = text_poke_byte(&work->poke, work->at, work->new.bytes[0]);
    text_poke_sync();
    if (cleared && result == 0)
        return !work->inside         ? TECHNIQUE_SINGLE
               : work->patch->punned ? TECHNIQUE_INT3
                                     : TECHNIQUE_EVACUATED;
    put_tail(work, work->old.bytes, 1);
    text_poke_byte(&work->poke, work->at, work->old.bytes[0]);
    text_poke_sync();
    if (!work->why->code)
        site_refuse(work->why, HP_STORE, "the function's code cannot be written");
    return NULL;
}

/* Return a thread that would not survive an int3 at the entry, wherever the thread is; or NULL. */
static const struct scanned_thread *unable(struct patch_work *work)
{
    if (thread_scan_look(&work->scan) != 0 || !trap_is_taken(false))
        return &foreign_action;
    if (trap_is_masked_by_a_handler())
        return &masking_handler;
    for (size_t i = 0; i < work->scan.count; i++)
        if (work->scan.threads[i].untrappable)
            return &work->scan.threads[i];
    return thread_scan_asleep_outside(&work->scan, work->at, work->at + ARCH_LONG_BYTES);
}

static const char *by_int3(struct patch_work *work)
{
    const struct scanned_thread *thread = unable(work);
    int result;

    if (!work->synced) {
        site_refuse(work->why, HP_STORE,
                    "membarrier(2) is refused, so the code cannot be changed safely");
        return NULL;
    }
    while (thread && clock_ms() < work->until) {
        wait_a_little();
        thread = unable(work);
    }
    if (thread)
        return refuse_thread(work, thread);
    result = work->poke.stores ? 0
                               : text_poke_open(&work->poke, work->at, ARCH_LONG_BYTES,
                                                work->patch->protection, false);
    if (result != 0)
        return refuse_store(work, result);
    return put_by_int3(work);
}

/* ---- the ways ---- */

/* Write the jump by one change. No thread is inside. */
static const char *by_one_change(struct patch_work *work)
{
    int result = prepare_way(work, &work->new);

    if (work->stores) {
        store_at_sites(work, work->new.bytes);
        if (work->synced)
            text_poke_sync_later();
        return TECHNIQUE_ALIGNED;
    }
    if (result == -ENOTSUP)
        return by_int3(work);
    if (result == 0)
        result = put_bytes(work, &work->new);
    if (result != 0)
        return refuse_store(work, result);
    return TECHNIQUE_PAGE;
}

static bool action_is_ours(const struct patch_work *work)
{
    return trap_is_taken(arch_stub_faults(work->patch->prologue));
}

static const struct scanned_thread *await_shown(struct patch_work *work)
{
    uint64_t until = clock_ms() + HOLD_MS;
    const struct scanned_thread *thread;

    work->scan = (struct thread_scan){0};
    do {
        thread = thread_scan_unshown(&work->scan, work->at, work->at + ARCH_LONG_BYTES);
        if (!thread && !action_is_ours(work))
            thread = &foreign_action;
    } while (thread && clock_ms() < until);
    return thread;
}

/* Make one attempt. Return the thread that prevents the change; NULL if the change is made, or if `*error` is set. */
static const struct scanned_thread *hold_and_put(struct patch_work *work, int *error)
{
    const struct scanned_thread *thread;

    *error = prepare_ways(work, true);
    if (*error == 0)
        *error = put_bytes(work, &work->hold);
    if (*error != 0)
        return NULL;
    thread = await_shown(work);
    if (!thread)
        *error = put_bytes(work, &work->new);
    if (thread || *error != 0)
        put_bytes(work, &work->old);
    return thread;
}

static const char *by_hold(struct patch_work *work)
{
    for (;;) {
        int error;
        const struct scanned_thread *thread = hold_and_put(work, &error);

        if (error != 0)
            return refuse_store(work, error);
        if (!thread)
            return TECHNIQUE_PUNNED;
        if (clock_ms() >= work->until)
            return refuse_thread(work, thread);
        wait_a_little();
    }
}

/* Write a jump that has no traps: the held threads are asked to leave. */
static const char *by_hold_and_questions(struct patch_work *work)
{
    int result = prepare_ways(work, true);

    if (result == 0)
        result = put_bytes(work, &work->hold);
    if (result != 0)
        return refuse_store(work, result);
    result = evacuate(work);
    if (result == 0)
        result = put_bytes(work, &work->new);
    if (result == 0)
        return TECHNIQUE_EVACUATED;
    put_bytes(work, &work->old);
    return work->why->code ? NULL : refuse_store(work, result);
}

static const struct scanned_thread *look_at_all(struct patch_work *work)
{
    if (thread_scan_look(&work->scan) != 0 || !action_is_ours(work))
        return &foreign_action;
    return thread_scan_asleep_outside(&work->scan, work->at, work->at + ARCH_LONG_BYTES);
}

static const char *by_proof(struct patch_work *work)
{
    for (;;) {
        int result = prepare_ways(work, false);
        const struct scanned_thread *thread = look_at_all(work);

        if (result == 0 && !thread)
            result = put_bytes(work, &work->new);
        if (result != 0)
            return refuse_store(work, result);
        if (!thread && thread_scan_has_slept_on(&work->scan, work->at, work->at + ARCH_LONG_BYTES))
            return TECHNIQUE_PROVED;
        if (!thread)
            put_bytes(work, &work->old);
        if (clock_ms() >= work->until) {
            if (thread)
                return refuse_thread(work, thread);
            site_refuse(work->why, HP_TIMEOUT, "no moment came to change the function");
            return NULL;
        }
        wait_a_little();
    }
}

/* Return whether threads may be held. A jump to itself must not keep a processor from the thread that has to end it. */
static bool may_hold(struct patch_work *work)
{
    return work->patch->held && work->synced && thread_scan_look(&work->scan) == 0 &&
           !thread_scan_has_realtime(&work->scan);
}

static const char *choose_way(struct patch_work *work)
{
    bool changes;

    if (!work->inside)
        return by_one_change(work);
    changes = prepare_way(work, &work->new) == 0;
    if (changes && may_hold(work))
        return work->patch->punned ? by_hold(work) : by_hold_and_questions(work);
    if (changes && work->patch->punned)
        return by_proof(work);
    return by_int3(work);
}

static const char *run_way(const struct text_patch *patch, bool in, uint64_t until,
                           struct site_problem *why)
{
    const sys_sigset traps = SYS_SIGBIT(SIGTRAP) | SYS_SIGBIT(SIGILL);
    sys_sigset mask;
    struct patch_work work;
    const char *how;

    begin(&work, patch, in, until, why);
    why->code = 0;
    work.synced = text_poke_sync_ready() == 0;
    work.stores = open_store(&work);
    sys_sigprocmask(SIG_UNBLOCK, &traps, &mask);
    how = choose_way(&work);
    sys_sigprocmask(SIG_SETMASK, &mask, NULL);
    text_poke_close(&work.poke);
    page_replace_end(&work.old.replaced);
    page_replace_end(&work.hold.replaced);
    page_replace_end(&work.new.replaced);
    return how;
}

const char *text_patch_in(const struct text_patch *patch, uint64_t until, struct site_problem *why)
{
    return run_way(patch, true, until, why);
}

const char *text_patch_out(const struct text_patch *patch, uint64_t until, struct site_problem *why)
{
    return run_way(patch, false, until, why);
}
