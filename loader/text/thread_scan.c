/* thread_scan.c - see thread_scan.h. */
#include "loader/text/thread_scan.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/proc_text.h"
#include "base/services.h"
#include "base/sys.h"
#include "loader/text/stacks.h"
#include "loader/text/text_poke.h"
#include "loader/text/trap.h"

enum { POLICY_DEADLINE = 6, LISTINGS = 8 }; /* sched(7) */

static struct {
    struct scanned_thread *threads;
    _Atomic uint32_t *answered;
    size_t capacity;
} pages;

/* Replace the pages by larger ones. A handler may still write to the old pages, so they stay mapped. */
static int grow_pages(void)
{
    size_t capacity = pages.capacity ? pages.capacity * 4 : 512;
    size_t size = capacity * (sizeof(*pages.threads) + sizeof(*pages.answered));
    struct scanned_thread *threads = (struct scanned_thread *)sys_call(
        SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if ((uintptr_t)threads > (uintptr_t)-4096)
        return (int)(intptr_t)threads;
    for (size_t i = 0; i < pages.capacity; i++)
        threads[i] = pages.threads[i];
    pages.threads = threads;
    pages.answered = (_Atomic uint32_t *)(threads + capacity);
    pages.capacity = capacity;
    return 0;
}

/* ---- files of one thread ---- */

static char *append(char *to, const char *text)
{
    while ((*to = *text++))
        to++;
    return to;
}

static char *append_number(char *to, unsigned value)
{
    char digits[16];
    int n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0)
        *to++ = digits[--n];
    *to = '\0';
    return to;
}

static ssize_t read_thread_file(pid_t entry, const char *name, char *buffer, size_t size)
{
    char path[64];
    ssize_t n;
    int file;

    append(append_number(append(path, "/proc/self/task/"), (unsigned)entry), name);
    file = host_open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return file;
    n = sys_read(file, buffer, size - 1);
    sys_close(file);
    if (n >= 0)
        buffer[n] = '\0';
    return n;
}

/* Flags in the ninth field of /proc/PID/stat (include/linux/sched.h). The second bit had another meaning before Linux
 * 5.17; threads that had it then do not block every signal. */
enum { PF_IO_WORKER = 0x10, PF_USER_WORKER = 0x4000, PF_KTHREAD = 0x200000 };

/* Return whether the kernel made the thread for work of its own: io_uring's iou-wrk and iou-sqp, vhost's. Such a thread
 * blocks every signal, and never runs code of the program. */
static bool is_kernel_worker(pid_t entry)
{
    char stat[512];
    ssize_t n = read_thread_file(entry, "/stat", stat, sizeof(stat));
    uint64_t flags = n > 0 ? proc_number(proc_stat_field(stat, PROC_STAT_FLAGS), 10) : 0;

    return (flags & (PF_IO_WORKER | PF_USER_WORKER | PF_KTHREAD)) != 0;
}

/* Read the thread's status. Return false if the thread is gone, or if only its number is left. */
static bool read_status(struct scanned_thread *thread)
{
    const uint64_t needed = SYS_SIGBIT(SIGTRAP) | SYS_SIGBIT(SIGILL);
    char status[4096];
    ssize_t n = read_thread_file(thread->entry, "/status", status, sizeof(status));
    const char *state;

    if (n <= 0)
        return false;
    state = proc_field(status, "State:");
    if (*state == 'Z' || *state == 'X')
        return false;
    thread->tid = proc_innermost(proc_field(status, "NSpid:"));
    if (thread->tid == 0) /* before Linux 4.1 */
        thread->tid = thread->entry;
    thread->waits = *state == 'D';
    thread->untrappable = (proc_number(proc_field(status, "SigBlk:"), 16) & needed) != 0 ||
                          proc_number(proc_field(status, "TracerPid:"), 10) != 0;
    thread->switches = proc_number(proc_field(status, "voluntary_ctxt_switches:"), 10) +
                       proc_number(proc_field(status, "nonvoluntary_ctxt_switches:"), 10);
    return true;
}

enum where { RUNNING, OUTSIDE, INSIDE, FORKING, GONE };

/* Return the last "0x..." before `*end`, and move `*end` to its beginning. */
static const char *last_hex(const char *line, ssize_t *end)
{
    ssize_t at = *end;

    while (at > 0 && line[at - 1] != 'x')
        at--;
    *end = at > 0 ? at - 1 : 0;
    return line + at;
}

static bool is_fork(uint64_t call)
{
    return call == SYS_vfork || call == SYS_clone || call == SYS_clone3;
}

/* Read where the thread sleeps: OUTSIDE stands for any place. The line of /proc/PID/syscall (proc(5)) ends in the
 * thread's SP and PC, unless the thread runs. */
static enum where read_place(pid_t entry, uintptr_t *pc, uintptr_t *sp)
{
    char line[256];
    ssize_t n = read_thread_file(entry, "/syscall", line, sizeof(line));

    if (n == -ENOENT || n == -ESRCH)
        return GONE;
    /* -1: the thread sleeps outside of a system call, for example in the fault of a page that is replaced. It continues
     * soon. */
    if (n <= 0 || line[0] == 'r' || line[0] == '-')
        return RUNNING;
    if (is_fork(proc_number(line, 10)))
        return FORKING;
    *pc = proc_number(last_hex(line, &n), 16);
    *sp = proc_number(last_hex(line, &n), 16);
    return OUTSIDE;
}

/* Return where the thread is. */
static enum where where_is(pid_t entry, uintptr_t begin, uintptr_t end)
{
    uintptr_t pc, sp;
    enum where where = read_place(entry, &pc, &sp);

    if (where != OUTSIDE)
        return where;
    return (pc > begin && pc < end) || stack_leads_into(sp, begin, end) ? INSIDE : OUTSIDE;
}

bool thread_scan_sleeps(pid_t entry, uintptr_t *pc, uintptr_t *sp)
{
    return read_place(entry, pc, sp) == OUTSIDE;
}

bool thread_scan_runs(pid_t entry)
{
    uintptr_t pc, sp;
    struct scanned_thread thread = {.entry = entry};

    return read_place(entry, &pc, &sp) == RUNNING && read_status(&thread);
}

void thread_scan_name(pid_t entry, char name[32])
{
    ssize_t n = read_thread_file(entry, "/comm", name, 32);

    if (n <= 0)
        append(name, "?");
    else if (name[n - 1] == '\n')
        name[n - 1] = '\0';
}

/* ---- all threads ---- */

static int add_thread(struct thread_scan *scan, pid_t entry)
{
    struct scanned_thread thread = {.entry = entry};

    if (!read_status(&thread) || thread.tid == sys_gettid() ||
        (thread.untrappable && is_kernel_worker(entry)))
        return 0;
    if (scan->count == pages.capacity) {
        int result = grow_pages();

        if (result != 0)
            return result;
    }
    pages.threads[scan->count++] = thread;
    scan->untrappable += thread.untrappable;
    return 0;
}

static int each_entry(const char *buffer, ssize_t size, int (*each)(struct thread_scan *, pid_t),
                      struct thread_scan *scan)
{
    for (ssize_t at = 0; at < size;) {
        const struct dirent64 *entry = (const void *)(buffer + at);
        pid_t number_there = (pid_t)proc_number(entry->d_name, 10);
        int result = number_there > 0 ? each(scan, number_there) : 0;

        if (result != 0)
            return result;
        at += entry->d_reclen;
    }
    return 0;
}

/* Call `each` for all threads but the calling one. Return 0, the value that `each` returned, or -errno. */
static int each_thread(int (*each)(struct thread_scan *, pid_t), struct thread_scan *scan)
{
    _Alignas(8) char buffer[4096];
    int result = 0, list = host_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t n = 0;

    if (list < 0)
        return list;
    while (result == 0 && (n = sys_list(list, buffer, sizeof(buffer))) > 0)
        result = each_entry(buffer, n, each, scan);
    sys_close(list);
    return result != 0 ? result : (int)n;
}

int thread_scan_look(struct thread_scan *scan)
{
    int result;

    *scan = (struct thread_scan){0};
    result = each_thread(add_thread, scan);
    scan->threads = pages.threads;
    return result;
}

static uint64_t policy_of(const struct scanned_thread *thread)
{
    char stat[1024];

    if (!text_poke_under_filter())
        return (uint64_t)sys_call3(SYS_sched_getscheduler, thread->tid, 0, 0);
    return read_thread_file(thread->entry, "/stat", stat, sizeof(stat)) > 0
               ? proc_number(proc_stat_field(stat, PROC_STAT_POLICY), 10)
               : 0;
}

bool thread_scan_has_realtime(const struct thread_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        uint64_t policy = policy_of(&scan->threads[i]);

        if (policy == SCHED_FIFO || policy == SCHED_RR || policy == POLICY_DEADLINE)
            return true;
    }
    return false;
}

/* Return the thread if it prevents the change; NULL if it does not. */
static const struct scanned_thread *in_the_way(struct scanned_thread *thread, uintptr_t begin,
                                               uintptr_t end)
{
    struct scanned_thread now = *thread;
    enum where where;

    /* Read the count first. A thread that runs after this has another count when it next sleeps. */
    if (!read_status(&now))
        return NULL;
    where = where_is(thread->entry, begin, end);
    thread->forks = where == FORKING;
    if (thread->forks || (thread->untrappable && (where == RUNNING || where == INSIDE)))
        return thread;
    thread->switches = now.switches;
    return NULL;
}

const struct scanned_thread *thread_scan_asleep_outside(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end)
{
    static const struct scanned_thread unknown = {.untrappable = true};
    bool looked = false;

    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread *thread = &scan->threads[i];
        const struct scanned_thread *found = NULL;

        if (!thread->untrappable && !thread->waits)
            continue;
        if (!looked && stacks_look() != 0)
            return &unknown;
        looked = true;
        found = in_the_way(thread, begin, end);
        if (found)
            return found;
    }
    return NULL;
}

/* Check the threads of the list whose `out` is false; `out` becomes true if the thread does not prevent the change.
 * Return a thread that does, or NULL. */
static const struct scanned_thread *look_at_others(struct thread_scan *scan, uintptr_t begin,
                                                   uintptr_t end)
{
    static const struct scanned_thread unknown = {.untrappable = true};
    const struct scanned_thread *found = NULL;
    bool looked = false;

    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread *thread = &scan->threads[i];
        const struct scanned_thread *hinders = NULL;

        if (thread->out)
            continue;
        if (read_status(thread) && (thread->untrappable || thread->waits)) {
            if (!looked && stacks_look() != 0)
                return &unknown;
            looked = true;
            hinders = in_the_way(thread, begin, end);
        }
        thread->out = !hinders;
        found = found ? found : hinders;
    }
    return found;
}

static int add_other(struct thread_scan *scan, pid_t entry)
{
    for (size_t i = 0; i < scan->count; i++)
        if (pages.threads[i].entry == entry)
            return 0;
    return add_thread(scan, entry);
}

/* Check all threads. The list is read several times: while threads end, the kernel may omit other threads. */
const struct scanned_thread *thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                 uintptr_t end)
{
    static const struct scanned_thread unknown = {.untrappable = true};

    for (int i = 0; i < LISTINGS; i++) {
        size_t before = scan->count;
        const struct scanned_thread *thread;

        if (each_thread(add_other, scan) != 0)
            return &unknown;
        scan->threads = pages.threads;
        if (before == scan->count && i > 0)
            return NULL;
        thread = look_at_others(scan, begin, end);
        if (thread)
            return thread;
    }
    return &unknown;
}

bool thread_scan_has_slept_on(const struct thread_scan *scan, uintptr_t begin, uintptr_t end)
{
    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread now = scan->threads[i];
        enum where where;

        if (!scan->threads[i].untrappable)
            continue;
        where = where_is(now.entry, begin, end);
        if (where == RUNNING || where == INSIDE || where == FORKING)
            return false;
        if (read_status(&now) && now.switches != scan->threads[i].switches)
            return false;
    }
    return true;
}

bool thread_scan_has_left(uintptr_t begin, uintptr_t end)
{
    struct thread_scan scan;

    if (thread_scan_look(&scan) != 0 || stacks_look() != 0)
        return false;
    for (size_t i = 0; i < scan.count; i++) {
        enum where where = where_is(scan.threads[i].entry, begin, end);

        if (where == RUNNING || where == INSIDE || where == FORKING)
            return false;
    }
    return true;
}

/* Ask each thread once. A second question could arrive when no thread waits for the answer. */
static int ask_threads(struct thread_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread *thread = &scan->threads[i];
        int result = thread->untrappable || thread->out ? 0 : trap_ask(thread->tid, (uint32_t)i);

        if (result == -ESRCH)
            thread->out = true;
        else if (result != 0)
            return result;
    }
    return 0;
}

/* Return whether the thread has ended. */
static bool is_gone(const struct scanned_thread *thread)
{
    return sys_tgkill(sys_getpid(), thread->tid, 0) == -ESRCH;
}

/* Return a thread that was asked and has neither answered nor ended; NULL if there is none. */
static struct scanned_thread *unanswered(struct thread_scan *scan, uint32_t round)
{
    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread *thread = &scan->threads[i];
        uint32_t answer = atomic_load_explicit(&pages.answered[i], memory_order_acquire);

        thread->out = thread->out || answer == round || is_gone(thread);
        if (!thread->untrappable && !thread->out && answer != round + 1)
            return thread;
    }
    return NULL;
}

/* Wait until all threads have answered, or until one question has lost its value. The round ends then. */
static int await_answers(struct thread_scan *scan, uint32_t round, uint32_t lost, uint64_t until,
                         pid_t *who)
{
    for (;;) {
        uint32_t answers = trap_answers();
        const struct scanned_thread *thread = unanswered(scan, round);

        if (!thread || trap_lost() != lost)
            return 0;
        *who = thread->entry;
        if (clock_ms() >= until)
            return -ETIMEDOUT;
        trap_await(answers);
    }
}

/* Set `out` of the threads that are outside. They stay outside, because the entry is held. Threads that sleep are not
 * asked: a signal would end their system call. */
static void look_at_those_left(struct thread_scan *scan, uintptr_t begin, uintptr_t end)
{
    for (size_t i = 0; i < scan->count; i++) {
        struct scanned_thread *thread = &scan->threads[i];
        enum where where;

        if (thread->out)
            continue;
        where = read_status(thread) ? where_is(thread->entry, begin, end) : GONE;
        thread->out = where == OUTSIDE || where == GONE;
        atomic_store_explicit(&pages.answered[i], 0, memory_order_relaxed);
    }
}

static int ask_once(struct thread_scan *scan, uintptr_t begin, uintptr_t end, uint64_t until,
                    pid_t *who)
{
    struct trap_round round = {pages.answered, (uint32_t)scan->count, begin, end};
    int result = stacks_look();
    uint32_t number, lost = trap_lost();

    if (result != 0)
        return result;
    look_at_those_left(scan, begin, end);
    number = trap_round_begin(&round);
    result = ask_threads(scan);
    if (result == 0)
        result = await_answers(scan, number, lost, until, who);
    trap_round_end();
    return result;
}

static const struct scanned_thread *not_out(const struct thread_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++)
        if (!scan->threads[i].out)
            return &scan->threads[i];
    return NULL;
}

int thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end, uint64_t until,
                         pid_t *who)
{
    uint32_t lost = trap_lost();
    int result = trap_install(true);

    /* List the threads again. A thread that was made after the last listing may have come in before the entry was
     * held. */
    if (result == 0)
        result = thread_scan_look(scan);
    while (result == 0 && not_out(scan)) {
        *who = not_out(scan)->entry;
        result = ask_once(scan, begin, end, until, who);
        if (result != 0 || !not_out(scan))
            break;
        if (clock_ms() >= until)
            result = -ETIMEDOUT;
        else
            trap_await(trap_answers());
    }
    return result == -ETIMEDOUT && trap_lost() != lost ? -EAGAIN : result;
}
