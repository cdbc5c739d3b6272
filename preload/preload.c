/*
 * preload.c - what happens in a process merely because the library is in it: constructor,
 * destructor, fork.
 *
 * Rules of the place. The host has not asked for us: nothing here may fail the host, print to its
 * stdout, use its descriptors, or cost more than design.md, section 11, allows. libc alone, and of
 * libc only what musl has too, or weak references: a library that ld.so cannot resolve kills every
 * program it is preloaded into. In the child of fork() the heap works (glibc sees to it), locks of
 * libc that glibc does not reset do not: no locale, no time zone, no stdio stream.
 */
#include "preload/preload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/api.h"
#include "preload/dispatch.h"
#include "preload/doorbell.h"
#include "preload/endpoint.h"
#include "preload/engine.h"
#include "preload/exec_notice.h"
#include "preload/filters.h"
#include "preload/heap.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/safe_point.h"
#include "preload/settings.h"
#include "preload/status.h"
#include "preload/threads.h"

#define FORK_WAIT_MS 200
/* libc's fork(3) gives its child the dynamic linker's locks anew; a bare system call does not, and the analysis of a
 * large program's callers holds them. */
#define COPY_WAIT_MS 1000

/* glibc's; weak, because musl has neither. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *)
    __attribute__((weak));
extern char __libc_single_threaded __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static bool active STATE;
static pthread_key_t main_thread_key STATE;

bool preload_active(void)
{
    return active;
}

/* valgrind.h's RUNNING_ON_VALGRIND: rotations that add up to nothing but under valgrind. */
static bool under_valgrind(void)
{
#if defined(__x86_64__)
    unsigned long request[6] = {0x1001, 0, 0, 0, 0, 0};
    unsigned long result = 0;

    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
                     "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(request)
                     : "cc", "memory", "rdi");
    return result != 0;
#else
    return false;
#endif
}

/* ---- fork: the child has the memory and the caller, and no thread of ours ---- */

/* No thread is made before the first ring. */
static bool listens_later(void)
{
    return settings.listen != LISTEN_START && doorbell_was_ours();
}

/* A constructor of another library may have made a thread before. */
static bool libc_is_single_threaded(void)
{
    return &__libc_single_threaded && __libc_single_threaded;
}

/* Set before a fork in a process in which nothing of ours has begun and no other thread holds a lock: then the
 * child has nothing to forget. Each page that it writes to costs it a copy, some 2 us. */
static _Atomic bool forks_as_new STATE;

static void note_fork(bool idle)
{
    bool as_new = idle && libc_is_single_threaded() && !endpoint_ended();

    if (as_new != atomic_load_explicit(&forks_as_new, memory_order_relaxed))
        atomic_store_explicit(&forks_as_new, as_new, memory_order_relaxed);
}

static void before_fork(uint64_t limit_ms)
{
    bool idle = !threads_made() && !engine_loaded();
    uint64_t until;

    note_fork(idle);
    if (idle)
        return; /* nothing of ours runs, or holds a lock */
    until = clock_ms() + limit_ms;

    /* A dlopen under way would leave the child with the dynamic linker's lock held. */
    engine_fork_prepare(until);
    if (threads_self() == THREAD_HOST)
        worker_settle(until);
    heap_fork_prepare(); /* last: until the child is made, other threads of ours wait for the heap */
}

void preload_before_fork(void)
{
    before_fork(FORK_WAIT_MS);
}

void preload_before_copy(void)
{
    before_fork(COPY_WAIT_MS);
}

static void after_fork_parent(void)
{
    engine_fork_parent();
}

FORK_PATH static void after_fork_child(void)
{
    exec_notice_reset();
    if (atomic_load_explicit(&forks_as_new, memory_order_relaxed))
        return;
    threads_reset();
    worker_reset();
    log_reset();
    api_reset();
    endpoint_reset();
    listener_reset();
    safe_point_reset();
    status_reset(engine_fork_torn());
    engine_fork_child();
    pthread_setspecific(main_thread_key, &active);
    if (!listens_later() && !threads_gave_way())
        threads_start(false);
}

/* Main thread, in its pthread_exit(): the process now ends with its last thread, and ours must
 * not be the ones it waits for. */
static void main_thread_leaves(void *value)
{
    (void)value;
    if (threads_made() && sys_gettid() == sys_getpid())
        listener_host_may_end();
}

/* ---- start and end ---- */

/* On the main thread, which the program's own patches need no other for. Nothing stays open. */
static void apply_startup_patches(void)
{
    endpoint_open_directory();
    threads_stand_in(true);
    dispatch_startup_patches();
    threads_stand_in(false);
    endpoint_close_directory();
    if (!dispatch_startup_refused() || settings.run_pid != sys_getpid())
        return;
    /* `hotpatch run --patch` promised that the program does not start unpatched. */
    endpoint_end();
    log_flush(); /* the refusal: nobody else writes it now */
    _exit(1);
}

static void begin_to_listen(void)
{
    if (settings.listen == LISTEN_NEVER)
        return;
    /* A ring that came while patches were applied made nothing. */
    if (listens_later() && libc_is_single_threaded() && !doorbell_rang())
        endpoint_announce();
    else
        threads_start(false);
}

__attribute__((constructor)) static void preload_start(void)
{
    int saved = errno;

    if (!gnu_get_libc_version || !__register_atfork || !settings_read())
        return;
    if (under_valgrind()) {
        endpoint_remove_left_by_exec();
        log_write(LOG_INFO, "inactive: the process runs under valgrind");
        return;
    }
    filters_start();
    engine_locate();
    if (pthread_key_create(&main_thread_key, main_thread_leaves) != 0 ||
        __register_atfork(preload_before_fork, after_fork_parent, after_fork_child,
                          &__dso_handle) != 0) {
        log_write(LOG_ERROR, "inactive: no memory for the fork handlers");
        return;
    }
    pthread_setspecific(main_thread_key, &active);
    doorbell_start(settings.signal);
    active = true;
    if (settings.patches)
        apply_startup_patches();
    begin_to_listen();
    errno = saved;
}

static __attribute__((noinline)) void report_what_runs(void)
{
    char doing[PATH_MAX];

    worker_doing(doing, sizeof(doing));
    /* Where a patch ends the process, that is a fault; where the host ends, nothing is wrong. */
    if (doing[0])
        log_write(threads_self() == THREAD_WORKER ? LOG_ERROR : LOG_INFO,
                  "the process exits while this runs: %s", doing);
}

__attribute__((destructor)) static void preload_end(void)
{
    /* A seccomp filter of the host's may end the process for the unlink; one under which requests were answered
     * does not, if it ends it for none of our calls. */
    if (!active || (filters_set() && (!threads_made() || filters_kill())))
        return;
    /* A child that was made past fork(3) has no file of ours, and our locks as they were: maybe held. */
    if (threads_made() && !threads_here())
        return;
    if (threads_made() || settings.patches)
        report_what_runs();
    endpoint_end();
    log_flush();
}
