/* client.c - the loop that runs all sessions; see client.h and session.h. */
#include "cli/session/client.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/session/session.h"
#include "cli/session/session_end.h"

#define WINDOW_MAX 512 /* sessions at once */
#define SESSION_DESCRIPTORS 6

struct loop {
    int epoll;
    struct session **sessions; /* NULL: a free place */
    size_t window;
    size_t active;
};

static volatile sig_atomic_t interrupted;
static bool taken; /* the signal that ended the loop */

static void note_signal(int number)
{
    (void)number;
    interrupted = 1;
}

bool client_interrupted(void)
{
    return interrupted != 0;
}

void client_interrupt_taken(void)
{
    interrupted = 0;
    taken = true;
}

static int loop_timeout(const struct loop *loop)
{
    uint64_t first = UINT64_MAX, now = now_ms();

    for (size_t i = 0; i < loop->window; i++)
        if (loop->sessions[i] && loop->sessions[i]->until < first)
            first = loop->sessions[i]->until;
    return first <= now ? 0 : (int)(first - now);
}

static void loop_turn(struct loop *loop, const sigset_t *waiting)
{
    struct epoll_event events[64];
    int n = epoll_pwait(loop->epoll, events, 64, loop_timeout(loop), waiting);
    uint64_t now = now_ms();

    for (int i = 0; i < n; i++)
        if (loop->sessions[events[i].data.u64 / SESSION_SOURCES])
            session_event(loop->sessions[events[i].data.u64 / SESSION_SOURCES],
                          (enum session_source)(events[i].data.u64 % SESSION_SOURCES));
    for (size_t i = 0; i < loop->window; i++) {
        struct session *session = loop->sessions[i];

        if (session && session->stage != SESSION_DONE && interrupted)
            session_interrupt(session);
        else if (session && session->stage != SESSION_DONE && session->until <= now)
            session_stage_end(session);
        if (session && session->stage == SESSION_DONE) {
            free(session);
            loop->sessions[i] = NULL;
            loop->active--;
        }
    }
}

static void session_new(struct loop *loop, struct session_request *request,
                        const struct client_request *client_request)
{
    struct session *session = allocate(sizeof(*session));
    size_t place = 0;

    while (loop->sessions[place])
        place++;
    session->request = request;
    session->client_request = client_request;
    session->epoll = loop->epoll;
    session->place = place;
    session->channel = CHANNEL_NONE;
    session->reply = session->host = -1;
    session->stage = SESSION_RING;
    loop->sessions[place] = session;
    loop->active++;
    if (interrupted)
        session_interrupt(session);
    else
        session_begin(session);
}

static size_t window_size(size_t count)
{
    struct rlimit limit;
    size_t possible;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    if (count > 32 && limit.rlim_cur < (WINDOW_MAX + 16) * SESSION_DESCRIPTORS) {
        rlim_t before = limit.rlim_cur;

        limit.rlim_cur = (WINDOW_MAX + 16) * SESSION_DESCRIPTORS;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    possible = limit.rlim_cur > 64 ? (limit.rlim_cur - 32) / SESSION_DESCRIPTORS : 1;
    if (possible > WINDOW_MAX)
        possible = WINDOW_MAX;
    return count < possible ? (count ? count : 1) : possible;
}

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP}; /* that end a request */

void client_hold_signals(sigset_t *before)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t held;

    signal(SIGPIPE, SIG_IGN); /* write(2) to a FIFO whose listener has ended gives EPIPE */
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;

        sigaddset(&held, numbers[i]);
        /* nohup(1) has set SIG_IGN: leave it. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &held, before);
}

bool requests_run(struct session_request *requests, size_t count,
                  const struct client_request *client_request)
{
    struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC), .window = window_size(count)};
    sigset_t before, waiting;
    size_t next = 0;

    loop.sessions = allocate(loop.window * sizeof(struct session *));
    client_hold_signals(&before);
    waiting = before;
    for (size_t i = 0; !taken && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigdelset(&waiting,
                  numbers[i]); /* also if the caller holds them back between its requests */
    while (next < count || loop.active) {
        for (; next < count && loop.active < loop.window; next++)
            if (!requests[next].reply)
                session_new(&loop, &requests[next], client_request);
        if (loop.active)
            loop_turn(&loop, &waiting);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(loop.sessions);
    close(loop.epoll);
    return !interrupted;
}
