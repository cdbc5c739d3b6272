/*
 * preload.c - the constructor and the destructor of libhotpatch_preload.so.
 *
 * Rules of the place. The host does not expect the shim: code here must not make the host fail, print to its stdout,
 * use its descriptors, or cost more than a start is allowed (make bench). Of libc it uses only functions that musl
 * has too, or weak references: a library that ld.so cannot resolve ends every program it is preloaded into.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/valgrind.h"
#include "preload/at_fork.h"
#include "preload/dispatch.h"
#include "preload/doorbell.h"
#include "preload/doorbell_handler.h"
#include "preload/endpoint.h"
#include "preload/engine_load.h"
#include "preload/engine_services.h"
#include "preload/filters.h"
#include "preload/libc_thread.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/main_thread.h"
#include "preload/settings.h"
#include "preload/shim_active.h"
#include "preload/thread_role.h"
#include "preload/threads.h"
#include "preload/worker.h"

/* Functions of glibc; weak, because musl does not have them. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *)
    __attribute__((weak));

/* Apply HOTPATCH_PATCH on the main thread, which stands in for the worker. No descriptor stays open. */
static void apply_startup_patches(void)
{
    endpoint_open_directory();
    thread_role_stand_in(true);
    dispatch_startup_patches();
    thread_role_stand_in(false);
    endpoint_close_directory();
    if (!dispatch_startup_refused() || settings.run_pid != sys_getpid())
        return;
    /* `hotpatch run --patch` ensures that the program does not start unpatched. */
    endpoint_end();
    log_flush(); /* write the refusal here: there is no worker */
    _exit(1);
}

static void begin_to_listen(void)
{
    if (settings.listen == LISTEN_NEVER)
        return;
    /* A ring that came while patches were applied has made no thread. */
    if (doorbell_makes_threads() && libc_thread_is_single() && !doorbell_rang())
        endpoint_announce();
    else
        threads_start(false);
}

__attribute__((constructor)) static void preload_start(void)
{
    int saved = errno;

    if (!gnu_get_libc_version || !__register_atfork || !settings_read())
        return;
    if (valgrind_runs()) {
        endpoint_remove_left_by_exec();
        log_write(LOG_INFO, "inactive: the process runs under valgrind");
        return;
    }
    filters_start();
    libc_thread_start();
    engine_load_start(&engine_services);
    threads_set_functions(worker_main, listener_main);
    if (!main_thread_start() || !at_fork_start()) {
        log_write(LOG_ERROR, "inactive: no memory for the fork handlers");
        return;
    }
    doorbell_handler_start(settings.signal);
    shim_activate();
    if (settings.patches)
        apply_startup_patches();
    begin_to_listen();
    errno = saved;
}

static __attribute__((noinline)) void report_what_runs(void)
{
    char doing[PATH_MAX];

    worker_doing(doing, sizeof(doing));
    /* An exit on the worker is an error of the patch. An exit on a thread of the host is not. */
    if (doing[0])
        log_write(thread_role() == THREAD_WORKER ? LOG_ERROR : LOG_INFO,
                  "the process exits while this runs: %s", doing);
}

__attribute__((destructor)) static void preload_end(void)
{
    /* A seccomp filter of the host may end the process for the unlink. A filter under which requests were handled
     * does not, if it ends the process for no call of the shim's threads. */
    if (!shim_active() || (filters_set() && (!threads_made() || filters_kill())))
        return;
    /* A child that was made without fork(3) has no file of its own, and its locks may be held. */
    if (threads_made() && !threads_here())
        return;
    if (threads_made() || settings.patches)
        report_what_runs();
    endpoint_end();
    log_flush();
}
