/*
 * room.c - fork(3) as the host calls it, and room for the host's own threads and processes.
 *
 * The host's limit of processes (RLIMIT_NPROC, the pids.max of a cgroup) counts our two threads as well. A call that
 * fails with EAGAIN while they exist is made again without them; the next ring makes them again.
 */
#include "preload/interpose/room.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state.h"
#include "preload/libc_next.h"
#include "preload/log.h"
#include "preload/preload.h"
#include "preload/threads.h"

#define EXPORTED __attribute__((visibility("default")))

bool room_make(int error)
{
    if (error != EAGAIN || !preload_active() || !threads_made() || !threads_here() ||
        threads_self() != THREAD_HOST)
        return false;
    log_write(LOG_INFO, "the program may make no thread or process: ours end");
    return threads_give_way(clock_ms() + THREADS_STOP_MS);
}

/* The sanitizers have a fork(3) of their own, which code that is built with them may not come before. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

typedef pid_t (*fork_function)(void);

static fork_function libc_fork(void)
{
    static _Atomic(void *) known STATE;
    void *symbol = libc_next("fork", &known);
    fork_function function;

    memcpy(&function, &symbol, sizeof(function));
    return function;
}

/* fork(3) may be called in a signal handler, where nothing can be looked up. */
__attribute__((constructor)) static void find_fork(void)
{
    libc_fork();
}

/* A child without threads of ours writes nothing here, not even errno: each page costs it a copy. */
EXPORTED FORK_PATH pid_t fork(void)
{
    fork_function function = libc_fork();
    pid_t result = function();
    int error;

    if (result >= 0)
        return result;
    error = errno;
    if (room_make(error))
        return function();
    errno = error;
    return result;
}

#endif
