/* libthread.c - makes a thread in its constructor, before the program's main and before the shim's constructor. */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static void *sleep_on(void *unused)
{
    while (pause() < 0)
        ;
    return unused;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, sleep_on, NULL);
}
