/*
 * late.c - a test host in which the listener, HOTPATCH_LISTEN=start, starts late. Its first call of libc, newlocale(3),
 * waits in this program until the main thread is in unshare(2) and the worker has ended for it. The listener that is
 * made after that call does not wait.
 *
 * Exit status 0: unshare(2) succeeded.
 */
#include <locale.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "threads.h"

static atomic_bool calls; /* the main thread is about to call */

__attribute__((visibility("default"))) locale_t newlocale(int mask, const char *name, locale_t base)
{
    static bool first = true;

    (void)mask;
    (void)name;
    (void)base;
    while (!calls || (first && threads() > 2)) /* the main thread and this thread */
        usleep(1000);
    first = false;
    return LC_GLOBAL_LOCALE;
}

int main(void)
{
    calls = true;
    return unshare(CLONE_FS) == 0 ? 0 : 4; /* needs no privilege */
}
