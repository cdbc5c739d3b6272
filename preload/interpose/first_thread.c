/*
 * first_thread.c - pthread_create(3) and thrd_create(3) as the host calls them.
 *
 * The shim makes no thread at first, because libc is faster in a process with a single thread. The host's first
 * thread ends this advantage. The listener and the worker are therefore made then, so that no ring has to find a safe
 * moment.
 */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include "preload/interpose/give_way.h"
#include "preload/libc_next.h"
#include "preload/libc_thread.h"
#include "preload/settings.h"
#include "preload/shim_active.h"
#include "preload/thread_role.h"
#include "preload/threads.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int (*thrd_create_function)(thrd_t *, thrd_start_t, void *);

/* The sanitizers make threads before code that is built with them may run. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

static void make_own_threads(void)
{
    if (shim_active() && !threads_gave_way() && settings.listen == LISTEN_FIRST_RING &&
        !threads_made() && !thread_role_has_stand_in())
        threads_start(false);
}

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*function)(void *), void *argument)
{
    int result;

    threads_note_host_thread();
    make_own_threads();
    result = libc_thread_create(thread, attributes, function, argument);
    if (result != 0 && give_way(result))
        result = libc_thread_create(thread, attributes, function, argument);
    return result;
}

EXPORTED int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    LIBC_NEXT(thrd_create_function, create, thrd_create);
    int result;

    threads_note_host_thread();
    make_own_threads();
    result = create(thread, function, argument);
    /* thrd_error stands for EAGAIN, too. */
    if ((result == thrd_error || result == thrd_nomem) && give_way(EAGAIN))
        result = create(thread, function, argument);
    return result;
}

#endif
