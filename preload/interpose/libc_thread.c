/* libc_thread.c - libc's own pthread_create(3), past the one that the shim exports (first_thread.c), and what it needs. */
#include <dlfcn.h>
#include <string.h>

#include "preload/libc_next.h"
#include "preload/threads.h"

typedef int (*create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int threads_libc_create(pthread_t *thread, const pthread_attr_t *attributes,
                        void *(*function)(void *), void *argument)
{
    LIBC_NEXT(create_function, create, pthread_create);

    return create(thread, attributes, function, argument);
}

size_t threads_libc_least_stack(void)
{
    size_t (*least)(const pthread_attr_t *) = NULL;
    void *symbol = dlsym(RTLD_DEFAULT, "__pthread_get_minstack");
    pthread_attr_t attributes;
    size_t size = 0;

    if (symbol && pthread_attr_init(&attributes) == 0) {
        memcpy(&least, &symbol, sizeof(least));
        size = least(&attributes);
        pthread_attr_destroy(&attributes);
    }
    return size;
}
