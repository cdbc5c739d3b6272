/*
 * give_way.c - see give_way.h.
 *
 * The host's limit of processes (RLIMIT_NPROC, the pids.max of a cgroup) counts the shim's two threads as well. A call
 * that fails with EAGAIN while they exist is made again without them; the next ring makes them again.
 */
#include "preload/interpose/give_way.h"

#include <errno.h>

#include "base/clock.h"
#include "preload/log.h"
#include "preload/shim_active.h"
#include "preload/thread_role.h"
#include "preload/threads.h"

bool give_way(int error)
{
    if (error != EAGAIN || !shim_active() || !threads_made() || !threads_here() ||
        thread_role() != THREAD_HOST)
        return false;
    log_write(LOG_INFO, "the program may make no thread or process: ours end");
    return threads_give_way(clock_ms() + THREADS_STOP_MS);
}
