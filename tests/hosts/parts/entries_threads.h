/*
 * entries_threads.h - threads of hosts/entries.c that go through its functions all the time, each kind
 * in its own way. Included once, behind the functions.
 */
#ifndef ENTRIES_THREADS_H
#define ENTRIES_THREADS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };

static pthread_t threads[THREADS];
static int thread_count;
static int running; /* this and the next two: atomic */
static long wrong, calls;
enum { NOTHING, EVERYTHING = -1 };

static void block(int what)
{
    sigset_t set;

    sigemptyset(&set);
    if (what < 0)
        sigfillset(&set);
    else
        sigaddset(&set, what);
    if (what != 0)
        pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void look(int got)
{
    if (got < 1 || got > 9)
        __atomic_store_n(&wrong, got ? got : -1, __ATOMIC_RELAXED);
}

struct habits {
    int blocked;
    int sleeps;
};

/* Answers of the functions themselves and of patches are 1 to 9. */
static void call_all(void)
{
    look(answer());
    look(exported_answer());
    look(straddles_word());
    look(straddles_line());
    look(straddles_page());
    look(padded());
    look(short_four(0));
}

static void *caller(void *argument)
{
    const struct habits *habits = argument;

    block(habits->blocked);
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        call_all();
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        if (habits->sleeps)
            usleep(1000);
    }
    return NULL;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One that goes through the functions with its signals blocked, without rest, and ends after a time. */
static void *brief_spinner(void *ms)
{
    long end = now_ms() + (long)(intptr_t)ms;

    block(EVERYTHING);
    while (now_ms() < end) {
        call_all();
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void start_brief_spinner(int ms)
{
    if (pthread_create(&threads[thread_count++], NULL, brief_spinner, (void *)(intptr_t)ms) != 0)
        _exit(9);
    while (__atomic_load_n(&calls, __ATOMIC_RELAXED) == 0)
        usleep(100);
    say("started");
}

static void fork_rounds(int count)
{
    int ended = 0;

    for (int i = 0; i < count; i++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            call_all();
            _exit(wrong != 0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        ended += status == 0;
    }
    say("%d ended", ended);
}

/* One that sleeps with its signals blocked, far from any function that is patched. */
static void *sleeper(void *argument)
{
    const struct habits *habits = argument;

    block(habits->blocked);
    while (__atomic_load_n(&running, __ATOMIC_RELAXED))
        usleep(1000);
    return NULL;
}

static void *passer(void *nothing)
{
    call_all();
    return nothing;
}

/* One whose threads come and go all the time. */
static void *breeder(void *argument)
{
    (void)argument;
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        pthread_t bred[4];

        for (int i = 0; i < 4; i++)
            if (pthread_create(&bred[i], NULL, passer, NULL) != 0)
                _exit(9);
        for (int i = 0; i < 4; i++)
            pthread_join(bred[i], NULL);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* One that forks all the time; every child goes through the functions, too. */
static void *forker(void *argument)
{
    const struct habits *habits = argument;

    block(habits->blocked);
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            for (int i = 0; i < 200; i++)
                call_all();
            _exit(wrong != 0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (status != 0)
            __atomic_store_n(&wrong, 1000 + status, __ATOMIC_RELAXED);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* One that starts programs all the time: until they execute, children of posix_spawn(3) run in this
 * process's memory with every signal blocked. */
static void *spawner(void *argument)
{
    char *arguments[] = {(char *)"true", NULL}, *environment[] = {NULL};

    (void)argument;
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        int status = -1;
        pid_t pid;

        if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment) != 0)
            __atomic_store_n(&wrong, 2000, __ATOMIC_RELAXED);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (status != 0)
            __atomic_store_n(&wrong, 3000 + status, __ATOMIC_RELAXED);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void start_threads(void *(*run)(void *), int count, int blocked, int sleeps)
{
    static struct habits habits;

    habits = (struct habits){blocked, sleeps};
    __atomic_store_n(&running, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < count && thread_count < THREADS; i++)
        if (pthread_create(&threads[thread_count++], NULL, run, &habits) != 0)
            _exit(9);
    while (run != sleeper && __atomic_load_n(&calls, __ATOMIC_RELAXED) == 0)
        usleep(100);
    say("started");
}

static void stop_threads(void)
{
    __atomic_store_n(&running, 0, __ATOMIC_RELAXED);
    while (thread_count > 0)
        pthread_join(threads[--thread_count], NULL);
    say("wrong %ld", __atomic_load_n(&wrong, __ATOMIC_RELAXED));
}

#endif
