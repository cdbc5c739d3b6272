/*
 * listener.c - see listener.h.
 *
 * The loop waits for requests, replies, the doorbell and timeouts, and calls dispatch.c.
 */
#include "preload/listener.h"

#include <limits.h>
#include <locale.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/dispatch.h"
#include "preload/doorbell.h"
#include "preload/endpoint.h"
#include "preload/filters.h"
#include "preload/framing.h"
#include "preload/jail.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/replies.h"
#include "preload/rights.h"
#include "preload/self.h"
#include "preload/settings.h"
#include "preload/status.h"
#include "preload/thread_role.h"
#include "preload/threads.h"
#include "preload/waiting.h"
#include "preload/wake.h"
#include "preload/worker.h"

#define STALE_DELAY_MS 100 /* between hotpatch_set() and the status file */
#define WORKER_LIMIT_MS 2000
#define INTERRUPTED_MAX 100
#define CALM_MS 5          /* a thread of the host has handled a ring after this time */
#define ENDING_CHECK_MS 50 /* how often to look for the last host thread */

enum { SOURCES = 3 }; /* of requests: the FIFO, the previous FIFO, the pipe in a jail */

static struct {
    int proc, program;
    _Atomic bool stale;
    uint64_t stale_since;
    _Atomic bool may_end; /* the main thread has left by pthread_exit(3) */
    bool calm;            /* no event came in the last CALM_MS */
    bool left_pending;    /* the doorbell's signal was pending then */
} listener STATE = {.proc = -1, .program = -1};

/* These are not in the struct above: its initial values are in the library's file, and these arrays would be too. */
static struct framing framing;
static struct framing jail_frames; /* of the pipe for requests in a jail */
static bool framing_begun; /* kept when the listener is made again: a transaction may be open */
static char bytes[16384];

int listener_program(void)
{
    char name[PATH_MAX];

    if (thread_role() != THREAD_LISTENER)
        return -1; /* the descriptor is of the listener's table, and invalid in another */
    if (listener.program < 0)
        listener.program = sys_openat(listener.proc, "thread-self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (listener.program < 0)
        listener.program = outside_ask("/proc/self/exe", name, sizeof(name));
    return listener.program;
}

void listener_status_stale(void)
{
    if (!atomic_exchange_explicit(&listener.stale, true, memory_order_acq_rel))
        wake_listener();
}

void listener_host_may_end(void)
{
    atomic_store_explicit(&listener.may_end, true, memory_order_release);
    wake_listener();
}

void listener_reset(void)
{
    listener.proc = listener.program = -1;
    framing_begun = listener.calm = listener.left_pending = false;
    jail_frames.handler = NULL;
    atomic_store_explicit(&listener.stale, false, memory_order_relaxed);
    atomic_store_explicit(&listener.may_end, false, memory_order_relaxed);
}

/* Return whether the listener's descriptor table is private and empty now. */
static bool leave_host_table(void)
{
    int result = sys_close_range(0, ~0U, CLOSE_RANGE_UNSHARE);

    if (result != 0)
        log_write(filters_at_start() ? LOG_INFO : LOG_ERROR,
                  "no FIFO: close_range(CLOSE_RANGE_UNSHARE): %s", sys_error(result));
    return result == 0;
}

/* ---- the end of a program whose main thread has ended ---- */

static void run_exit(void *unused)
{
    (void)unused;
    exit(0);
}

/* Return whether the main thread has ended, by pthread_exit(3) or otherwise. */
static bool host_may_end(void)
{
    return atomic_load_explicit(&listener.may_end, memory_order_acquire) || main_exit_seen();
}

/* Return whether a thread of the host is left. Without /proc: if the host has made no thread by libc, it had only the
 * main thread. */
static bool host_is_left(void)
{
    pid_t live = rights_live_thread();

    return live > 0 || (live < 0 && threads_host_has_made_one());
}

/* End the process if no thread of the host is left. After the main thread's pthread_exit(3) the last thread calls
 * exit(0): here the worker does, because the streams that exit(3) flushes are in the host's descriptor table. */
static void end_if_alone(void)
{
    if (host_is_left())
        return;
    if (atomic_load_explicit(&listener.may_end, memory_order_acquire)) {
        worker_call(run_exit, NULL, 0, "", 0);
        return;
    }
    /* The main thread ended by exit(2), or by a seccomp(2) filter: without the shim the process would have ended at
     * once. */
    endpoint_remove();
    threads_leave(main_exit_status(listener.proc));
}

/* ---- the loop ---- */

/* Read the bytes in the FIFO or pipe. Return whether there were any. */
static bool feed(int fd, struct framing *to)
{
    bool any = false;

    for (unsigned interrupted = 0; interrupted < INTERRUPTED_MAX;) {
        ssize_t got = sys_read(fd, bytes, sizeof(bytes));

        if (got == -EINTR) {
            interrupted++;
            continue;
        }
        if (got <= 0)
            break;
        framing_feed(to, bytes, (size_t)got);
        any = true;
    }
    return any;
}

/* The framing is set up at the first use: most processes never touch its pages. */
static bool read_jail(int fd)
{
    if (!jail_frames.handler)
        framing_init(&jail_frames, dispatch_jail_frame, NULL, clock_ms);
    return feed(fd, &jail_frames);
}

static bool read_fifo(int fd)
{
    return feed(fd, &framing);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Return when to check again without being woken, in ms of CLOCK_MONOTONIC; 0: never. */
static uint64_t next_look(void)
{
    uint64_t next = earlier(replies_limit(), dispatch_deferred_at());

    next = earlier(
        next, earlier(framing_due(&framing), jail_frames.handler ? framing_due(&jail_frames) : 0));
    if (atomic_load_explicit(&listener.stale, memory_order_acquire)) {
        if (listener.stale_since == 0)
            listener.stale_since = clock_ms();
        next = earlier(next, listener.stale_since + STALE_DELAY_MS);
    }
    if (host_may_end())
        next = earlier(next, clock_ms() + ENDING_CHECK_MS);
    return next;
}

static void look_at_clock(void)
{
    uint64_t now = clock_ms();

    if (framing_expire(&framing) || (jail_frames.handler && framing_expire(&jail_frames)))
        dispatch_idle();
    if (listener.stale_since && now >= listener.stale_since + STALE_DELAY_MS) {
        atomic_store_explicit(&listener.stale, false, memory_order_release);
        listener.stale_since = 0;
        dispatch_status_changed();
        dispatch_idle();
    }
    if (dispatch_deferred_at() && now >= dispatch_deferred_at()) {
        dispatch_deferred();
        dispatch_idle();
    }
    if (host_may_end())
        end_if_alone();
}

static size_t fill_poll(struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = endpoint_fifo(), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = endpoint_retired(), .events = POLLIN};
    fds[2] = (struct pollfd){.fd = jail_requests(), .events = POLLIN};
    return SOURCES + replies_poll(fds + SOURCES);
}

static bool look_at_doorbell(void)
{
    bool rang = doorbell_rang();

    if (rang)
        dispatch_doorbell();
    return rang;
}

static void leave_misleading_fifo(void)
{
    if (!endpoint_retired_misleads())
        return;
    read_fifo(endpoint_retired());
    endpoint_close_retired();
}

/*
 * Return whether the listener may take a ring that kill(2) has sent to the process: only if no thread of the host
 * takes it. The ring may have woken a thread of the host already. If the listener took this ring, the call of that
 * thread would end with EINTR without a handler. The kernel gives the doorbell to a thread that does not block it, so
 * the listener blocks the doorbell while it is pending. After CALM_MS no other thread takes a ring that is still
 * pending, unless the main thread has had no processor meanwhile.
 */
static bool takes_doorbell(int signal)
{
    bool left = listener.left_pending;

    listener.left_pending = signal && sys_sigpending() & SYS_SIGBIT(signal);
    return listener.calm && (!listener.left_pending || (left && !rights_main_takes(signal)));
}

/* Wait for events until `next` (ms of CLOCK_MONOTONIC; 0: no limit), under the signal mask `mask`. */
static int wait_for_events(struct pollfd *fds, size_t count, uint64_t next, sys_sigset *mask)
{
    int signal = doorbell_signal(), result;
    bool takes = takes_doorbell(signal);
    uint64_t now = clock_ms(), until = takes ? next : earlier(next, now + CALM_MS);
    struct timespec wait = clock_spec(until > now ? until - now : 0);

    if (signal && takes)
        *mask &= ~SYS_SIGBIT(signal);
    result = waiting_poll(fds, count, until ? &wait : NULL, mask);
    listener.calm = result == 0;
    return result;
}

static void wait_once(void)
{
    const sys_sigset signal = SYS_SIGBIT(WAKE_SIGNAL);
    struct pollfd fds[SOURCES + REPLIES_MAX];
    sys_sigset mask = ~THREAD_OPEN_SIGNALS;
    size_t count = fill_poll(fds);
    uint64_t next;
    bool something, woken;
    int result;

    /* WAKE_SIGNAL is blocked for these lines. Otherwise the signal could come after the check and before ppoll(2),
     * which would then sleep. glibc's setuid() uses the same signal to run setuid on this thread. */
    sys_sigprocmask(SIG_BLOCK, &signal, NULL);
    woken = wake_listener_seen();
    next = next_look();
    if (woken || endpoint_user_changed() || threads_stopping())
        result = -EINTR;
    else
        result = wait_for_events(fds, count, next, &mask);
    woken = wake_listener_seen() || woken;
    sys_sigprocmask(SIG_UNBLOCK, &signal, NULL);
    if (threads_stopping())
        return;
    endpoint_remove_if_asked();
    if (result == -EINTR && endpoint_check(false))
        dispatch_status_changed();
    something = look_at_doorbell() || woken || result == 0;
    something = replies_continue(fds + SOURCES, result > 0 ? count - SOURCES : 0) || something;
    if (result > 0 && (fds[1].revents & POLLIN))
        something = read_fifo(fds[1].fd) || something;
    if (result > 0 && (fds[0].revents & POLLIN))
        something = read_fifo(fds[0].fd) || something;
    if (result > 0 && (fds[2].revents & POLLIN))
        something = read_jail(fds[2].fd) || something;
    dispatch_idle();
    look_at_clock();
    replies_keep_spare();
    waiting_note(something, &mask);
}

/* Start the listener. The constructor waits until threads_listener_armed(), so only what is necessary is done before
 * that. */
static void start_listening(void)
{
    if (!framing_begun)
        framing_init(&framing, dispatch_frame, NULL, clock_ms);
    framing_begun = true;
    replies_keep_spare(); /* numbers 0 and 1 of the table */
    self_start();
    status_start();
    if (endpoint_start())
        dispatch_start_status(); /* before the FIFO has a reader: the file has the reader's identity */
    endpoint_open();
    threads_listener_armed();
    listener.proc = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    rights_start(listener.proc);
    threads_await_worker(clock_ms() + WORKER_LIMIT_MS); /* rights.c needs the worker's tid */
}

void listener_main(void)
{
    /* Messages are not in the host's language, and numbers have no decimal comma of the host's locale. The locale is
     * set for this thread alone. No memory is allocated for the whole "C" locale. */
    uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
    if (!leave_host_table()) {
        threads_listener_armed();
        return;
    }
    start_listening();
    look_at_doorbell(); /* it may have rung before the listener existed */
    while (!threads_stopping()) {
        leave_misleading_fifo();
        wait_once();
    }
    read_fifo(endpoint_fifo()); /* requests that were written before the stop */
    dispatch_idle();
    replies_drop();
    endpoint_stop();
    sys_close_range(0, ~0U, 0);
    listener.proc = listener.program = -1;
}
