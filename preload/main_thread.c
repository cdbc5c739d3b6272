/* main_thread.c - see main_thread.h. */
#include "preload/main_thread.h"

#include <pthread.h>

#include "base/state.h"
#include "base/sys.h"
#include "preload/listener.h"
#include "preload/threads.h"

static pthread_key_t key STATE;

/* Record that the main thread ends. This is the destructor of the key's value; it runs in the thread's
 * pthread_exit(3). */
static void leaves(void *value)
{
    (void)value;
    if (threads_made() && sys_gettid() == sys_getpid())
        listener_host_may_end();
}

bool main_thread_start(void)
{
    if (pthread_key_create(&key, leaves) != 0)
        return false;
    main_thread_watch();
    return true;
}

void main_thread_watch(void)
{
    pthread_setspecific(key, &key); /* any value but NULL */
}
