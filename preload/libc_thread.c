/* libc_thread.c - see libc_thread.h. */
#include "preload/libc_thread.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "base/state.h"
#include "preload/libc_next.h"

typedef int (*create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* Weak, because musl and old versions of glibc do not have it. */
extern char __libc_single_threaded __attribute__((weak));

static _Atomic(void *) create_symbol STATE, least_symbol STATE;

void libc_thread_start(void)
{
    libc_next("pthread_create", &create_symbol);
    atomic_store_explicit(&least_symbol, dlsym(RTLD_DEFAULT, "__pthread_get_minstack"),
                          memory_order_relaxed);
}

int libc_thread_create(pthread_t *thread, const pthread_attr_t *attributes,
                       void *(*function)(void *), void *argument)
{
    void *symbol = libc_next("pthread_create", &create_symbol);
    create_function create;

    memcpy(&create, &symbol, sizeof(create));
    return create(thread, attributes, function, argument);
}

size_t libc_thread_least_stack(void)
{
    size_t (*least)(const pthread_attr_t *) = NULL;
    void *symbol = atomic_load_explicit(&least_symbol, memory_order_relaxed);
    pthread_attr_t attributes;
    size_t size = 0;

    if (symbol && pthread_attr_init(&attributes) == 0) {
        memcpy(&least, &symbol, sizeof(least));
        size = least(&attributes);
        pthread_attr_destroy(&attributes);
    }
    return size;
}

bool libc_thread_is_single(void)
{
    return &__libc_single_threaded && __libc_single_threaded;
}
