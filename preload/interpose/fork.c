/*
 * fork.c - fork(3) as the host calls it.
 *
 * Any thread of the host, also inside a signal handler.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "preload/interpose/give_way.h"
#include "preload/libc_next.h"

#define EXPORTED __attribute__((visibility("default")))

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

/* Look fork(3) up at the start: it may be called in a signal handler, where no symbol can be looked up. */
__attribute__((constructor)) static void find_fork(void)
{
    libc_fork();
}

/* Make a child. A child of an idle process writes no memory here, not even errno: each page costs a copy. */
EXPORTED FORK_PATH pid_t fork(void)
{
    fork_function function = libc_fork();
    pid_t result = function();
    int error;

    if (result >= 0)
        return result;
    error = errno;
    if (give_way(error))
        return function();
    errno = error;
    return result;
}

#endif
