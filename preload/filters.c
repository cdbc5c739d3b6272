/* filters.c - see filters.h. Runs on any thread of the host, also in a signal handler: no lock, no libc. */
#include "preload/filters.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/needed_calls.h"
#include "base/proc_text.h"
#include "base/seccomp_facts.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/bpf.h"

/* The command finds the struct by its first bytes. No code here reads these bytes, so the compiler must keep the
 * struct in one piece. */
static struct seccomp_facts facts STATE
    __attribute__((used)) = {SECCOMP_FACTS_MAGIC, 0, 0, SECCOMP_REFUSES_NONE, SECCOMP_REFUSES_NONE};
static _Atomic int being_set STATE;
static bool sockets_kill STATE;

/* ---- the calls that a filter refuses ---- */

enum need { MUST, MAY };

#define COUNT(...) +1
enum { CALLS = 0 NEEDED_CALLS(COUNT, COUNT) };

static const struct {
    struct bpf_call call;
    enum need need;
} calls[] = {
#define NEEDED(name, need) {{SYS_##name, 0, {0}}, need},
#define NEEDED_WITH(name, need, known, ...) {{SYS_##name, known, {__VA_ARGS__}}, need},
    NEEDED_CALLS(NEEDED, NEEDED_WITH)};

static const struct bpf_call clone3_call = {.number = SYS_clone3};
static const struct bpf_call clone_call = {
    .number = SYS_clone, .known = 1, .arguments = {NEEDED_CLONE_FLAGS}};

static uint32_t action_for(const struct sock_fprog *program, const struct bpf_call *call)
{
    return bpf_run(program->filter, program->len, call);
}

static bool is_allowed(uint32_t answer)
{
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;

    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static bool is_error(uint32_t answer)
{
    return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

/* Return whether the call ends its caller, waits for another process, or raises a signal. */
static bool is_deadly(uint32_t answer)
{
    return !is_allowed(answer) && !is_error(answer);
}

/* Return the number of the first call for making a thread that the filter refuses. Where clone3 fails with ENOSYS,
 * libc makes the thread by clone. */
static int thread_refused_by(const struct sock_fprog *program, bool (*refuses)(uint32_t))
{
    uint32_t clone3 = action_for(program, &clone3_call);

    if (clone3 == (SECCOMP_RET_ERRNO | ENOSYS))
        return refuses(action_for(program, &clone_call)) ? SYS_clone : SECCOMP_REFUSES_NONE;
    return refuses(clone3) ? SYS_clone3 : SECCOMP_REFUSES_NONE;
}

/* Return the number of the first call that ends a thread of the shim; SECCOMP_REFUSES_NONE: there is none. */
static int killed_by(const struct sock_fprog *program)
{
    int number = thread_refused_by(program, is_deadly);

    for (size_t i = 0; i < CALLS && number == SECCOMP_REFUSES_NONE; i++)
        if (is_deadly(action_for(program, &calls[i].call)))
            number = calls[i].call.number;
    return number;
}

/* Return whether the filter ends the process for a call that only jail.c needs. */
static bool kills_sockets(const struct sock_fprog *program)
{
    static const int numbers[] = {SYS_socket, SYS_bind, SYS_setsockopt, SYS_getsockname,
                                  SYS_recvmsg};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (is_deadly(action_for(program, &(struct bpf_call){.number = numbers[i]})))
            return true;
    return false;
}

static bool is_refused(uint32_t answer)
{
    return !is_allowed(answer);
}

/* Return the number of the first call that is refused and must not be; SECCOMP_REFUSES_NONE: there is none. */
static int refused_by(const struct sock_fprog *program)
{
    int number = thread_refused_by(program, is_refused);

    for (size_t i = 0; i < CALLS && number == SECCOMP_REFUSES_NONE; i++) {
        uint32_t result = action_for(program, &calls[i].call);

        if (calls[i].need == MUST ? is_refused(result) : is_deadly(result))
            number = calls[i].call.number;
    }
    return number;
}

/* ---- the host sets a filter ---- */

/* calls that are made only where filters_let() allows them */
static const int optional[] = {SYS_getsockopt, SYS_getppid, SYS_kcmp};
enum { OPTIONAL = sizeof(optional) / sizeof(*optional) };
static _Atomic bool deadly[OPTIONAL] STATE;

static void note_optional(const struct sock_fprog *program)
{
    for (size_t i = 0; i < OPTIONAL; i++)
        if (!program || is_deadly(action_for(program, &(struct bpf_call){.number = optional[i]})))
            atomic_store(&deadly[i], true);
}

/* Record the filter. Another thread of the host may have changed the program since the kernel read it; this is not
 * checked. */
static void note_filter(const struct sock_fprog *program)
{
    int refused = program ? refused_by(program) : SECCOMP_REFUSES_ALL;
    int killed = program ? killed_by(program) : SECCOMP_REFUSES_ALL;

    note_optional(program);
    sockets_kill = sockets_kill || !program || kills_sockets(program);
    facts.seen++;
    if (refused != SECCOMP_REFUSES_NONE)
        facts.refuses = refused;
    if (killed != SECCOMP_REFUSES_NONE)
        facts.kills = killed;
}

bool filters_would_kill(const struct sock_fprog *program)
{
    return killed_by(program) != SECCOMP_REFUSES_NONE;
}

void filters_set_begin(void)
{
    atomic_fetch_add(&being_set, 1);
}

void filters_set_end(bool is_set, const struct sock_fprog *program)
{
    if (is_set)
        note_filter(program);
    atomic_fetch_sub(&being_set, 1);
}

/* ---- results ---- */

bool filters_at_start(void)
{
    return facts.at_start != 0;
}

bool filters_set(void)
{
    return facts.seen != 0 || atomic_load(&being_set) != 0;
}

bool filters_kill(void)
{
    return facts.kills != SECCOMP_REFUSES_NONE || atomic_load(&being_set) != 0;
}

bool filters_refuse(void)
{
    return facts.refuses != SECCOMP_REFUSES_NONE || atomic_load(&being_set) != 0;
}

bool filters_let(long number)
{
    for (size_t i = 0; i < OPTIONAL; i++)
        if (optional[i] == number)
            return atomic_load(&being_set) == 0 && !atomic_load(&deadly[i]);
    return false;
}

bool filters_kill_sockets(void)
{
    return sockets_kill;
}

bool filters_allow(int count)
{
    return atomic_load(&being_set) == 0 &&
           seccomp_judge(&facts, count, SECCOMP_HOSTS) == SECCOMP_ALLOWS;
}

static int filters_now(void)
{
    char text[4096];
    const char *count;

    sys_read_file(AT_FDCWD, "/proc/self/status", text, sizeof(text));
    count = proc_field(text, "Seccomp_filters:"); /* Linux 5.9 */
    return *count ? (int)proc_number(count, 10) : SECCOMP_STARTED_UNDER;
}

void filters_start(void)
{
    /* This call takes a tenth of a microsecond; reading /proc/self/status takes eight. A value other than 0 is a
     * filter. */
    if (sys_prctl(PR_GET_SECCOMP, 0, 0, 0) != 0)
        facts.at_start = filters_now();
}
