/*
 * signal_habits.h - threads of hosts/entries.c that block, reset or leave SIGTRAP in every way, and go
 * through the functions meanwhile. Included once, after entries_threads.h.
 */
#ifndef SIGNAL_HABITS_H
#define SIGNAL_HABITS_H

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void rest(void)
{
    for (volatile unsigned i = 0; i < 20000;)
        i++;
}

/* One that blocks all signals around its work, as allocators and thread pools do. */
static void *masker(void *nothing)
{
    sigset_t all, old;

    sigfillset(&all);
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        pthread_sigmask(SIG_BLOCK, &all, &old);
        for (int i = 0; i < 20; i++)
            call_all();
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        rest();
    }
    return nothing;
}

static sigjmp_buf out_of_handler;

static void work_in_handler(int number)
{
    for (int i = 0; i < 20; i++)
        call_all();
    if (number == SIGUSR2)
        siglongjmp(out_of_handler, 1);
}

/* One whose handlers block all signals by their sa_mask, and which leaves the second by siglongjmp(3). */
static void *handler(void *nothing)
{
    struct sigaction action = {.sa_handler = work_in_handler};

    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        raise(SIGUSR1);
        if (sigsetjmp(out_of_handler, 1) == 0)
            raise(SIGUSR2);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        rest();
    }
    return nothing;
}

/* One that gives SIGTRAP its default action around some of its work, as editors do around a shell. */
static void *resetter(void *nothing)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, trap, fault;

    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        sigaction(SIGTRAP, &standard, &trap);
        sigaction(SIGILL, &standard, &fault);
        call_all();
        sigaction(SIGILL, &fault, NULL);
        sigaction(SIGTRAP, &trap, NULL);
        call_all();
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    }
    return nothing;
}

/* One whose children of vfork(2) do the same, and work, in memory that they share with it. */
static void *vforker(void *nothing)
{
    while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        int status = -1;
        pid_t pid = vfork();

        if (pid == 0) {
            sigaction(SIGTRAP, &standard, NULL);
            sigaction(SIGILL, &standard, NULL);
            for (int i = 0; i < 200; i++)
                call_all();
            _exit(0);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (status != 0)
            __atomic_store_n(&wrong, 5000 + status, __ATOMIC_RELAXED);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        rest();
    }
    return nothing;
}

#endif
