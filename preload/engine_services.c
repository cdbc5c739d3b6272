/*
 * engine_services.c - see engine_services.h. Which thread may call which service is in engine_api.h.
 */
#include "preload/engine_services.h"

#include <limits.h>

#include "base/sys.h"
#include "preload/api.h"
#include "preload/endpoint.h"
#include "preload/engine_load.h"
#include "preload/engine_lock.h"
#include "preload/heap.h"
#include "preload/jail.h"
#include "preload/jail_bring.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/replies.h"
#include "preload/safe_point.h"
#include "preload/status.h"
#include "preload/thread_role.h"
#include "preload/worker.h"

static int service_runtime_dir(const char **path)
{
    const struct runtime_dir *dir = endpoint_dir();

    *path = dir->fd >= 0 ? dir->path : NULL;
    return dir->fd;
}

/* Call with the engine lock held. A host thread may call before the listener has read the name. On a host thread the
 * listener's descriptor would be another file, or none, in the host's table. */
static int service_program(const char **path)
{
    static char program[PATH_MAX];
    ssize_t length;

    *path = status_program();
    if (thread_role() == THREAD_LISTENER)
        return listener_program();
    length = sys_readlinkat(AT_FDCWD, "/proc/thread-self/exe", program, sizeof(program) - 1);
    if (length > 0) {
        program[length] = '\0';
        *path = program;
    }
    return -1;
}

static bool service_own_thread(void)
{
    return thread_role() != THREAD_HOST;
}

const struct shim_services engine_services = {
    .abi = ENGINE_ABI,
    .worker_run = worker_run,
    .worker_doing = worker_doing,
    .log = log_write,
    .runtime_dir = service_runtime_dir,
    .program = service_program,
    .registered = api_registered,
    .handlers = api_handlers,
    .at_safe_point = safe_point_run,
    .commit_begin = engine_commit_begin,
    .commit_end = engine_commit_end,
    .arming = engine_arming,
    .pid = sys_getpid,
    .own_thread = service_own_thread,
    .open = outside_open,
    .outside = jail_bring,
    .allocate = heap_allocate,
    .allocate_aligned = heap_allocate_aligned,
    .resize = heap_resize,
    .release = heap_release,
    .abandoned = replies_abandoned,
    .was_there = engine_load_was_there,
};
