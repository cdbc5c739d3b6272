/*
 * alarms.c - a program that ends a wait by SIGALRM, whose handler has no SA_RESTART, again and again.
 *
 * `alarms CALL [rings]`: writes `ready`, and a dot for each wait that a signal has ended. If a wait ends in another
 * way, the program prints a word and ends. With `rings` the handler blocks all signals and sends the doorbell to its
 * thread.
 */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2], epoll;
static sem_t semaphore;

static void take(int signal)
{
    (void)signal;
}

static void take_and_ring(int signal)
{
    (void)signal;
    raise(SIGRTMIN + 12);
}

static int by_read(void)
{
    char byte;

    return (int)read(ends[0], &byte, 1);
}

static int by_nanosleep(void)
{
    struct timespec time = {1000, 0};

    return nanosleep(&time, NULL);
}

static int by_poll(void)
{
    return poll(NULL, 0, 1000000);
}

static int by_ppoll(void)
{
    struct timespec time = {1000, 0};

    return ppoll(NULL, 0, &time, NULL);
}

static int by_select(void)
{
    return select(0, NULL, NULL, NULL, NULL);
}

static int by_epoll_wait(void)
{
    struct epoll_event event;

    return epoll_wait(epoll, &event, 1, -1);
}

static int by_sigsuspend(void)
{
    sigset_t none;

    sigemptyset(&none);
    return sigsuspend(&none);
}

static int by_sem_wait(void)
{
    return sem_wait(&semaphore);
}

static int by_waitpid(void)
{
    return waitpid(-1, NULL, 0);
}

static int by_syscall(void)
{
    char byte;

    return (int)syscall(SYS_read, ends[0], &byte, 1);
}

static const struct {
    const char *name;
    int (*wait)(void);
} calls[] = {
    {"read", by_read},
    {"pause", pause},
    {"nanosleep", by_nanosleep},
    {"poll", by_poll},
    {"ppoll", by_ppoll},
    {"select", by_select},
    {"epoll_wait", by_epoll_wait},
    {"sigsuspend", by_sigsuspend},
    {"sem_wait", by_sem_wait},
    {"waitpid", by_waitpid},
    {"syscall", by_syscall},
};

static void prepare(const char *call, bool rings)
{
    struct sigaction action = {.sa_handler = rings ? take_and_ring : take};

    if (rings)
        sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    if (pipe(ends) != 0)
        _exit(2);
    epoll = epoll_create1(0);
    sem_init(&semaphore, 0, 0);
    if (strcmp(call, "waitpid") == 0 && fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
}

int main(int argc, char **argv)
{
    int (*wait)(void) = NULL;
    int result;

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (argc >= 2 && strcmp(argv[1], calls[i].name) == 0)
            wait = calls[i].wait;
    if (!wait)
        return 2;
    prepare(argv[1], argc > 2);
    if (write(1, "ready\n", 6) != 6)
        return 1;
    for (;;) {
        errno = 0;
        result = wait();
        if (result != -1 || errno != EINTR) {
            printf("%s: %d, %s\n", argv[1], result, strerror(errno));
            return 1;
        }
        if (write(1, ".", 1) != 1)
            return 1;
    }
}
