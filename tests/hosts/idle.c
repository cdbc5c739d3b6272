/*
 * idle.c - a program that works between two lines, "begin" and "end", in a way that a line of its input names: at once,
 * in a forked child, as a daemon, after exec. Or it makes its first thread in one of three ways.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static atomic_uint ticks;

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(3);
}

/* Read a line; "" at the end of input. */
static void hear(char line[64])
{
    size_t length = 0;

    while (length < 63 && read(0, line + length, 1) == 1 && line[length] != '\n')
        length++;
    line[length] = '\0';
}

static void on_signal(int number)
{
    (void)number;
}

static void in_children(void)
{
    pid_t child = fork();

    if (child == 0) {
        free(malloc(100));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0)
        exit(0);
    waitpid(child, NULL, 0);
}

static void as_before(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NPROC, &limit);
    setrlimit(RLIMIT_NPROC, &limit);
    if (setgid(getgid()) != 0 || setuid(getuid()) != 0)
        _exit(4);
}

/* Make the calls that the shim interposes, and those that programs make most. */
static void work(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    const struct timespec soon = {0, 1000000};
    char text[64];

    free(malloc(1000));
    say("begin\n");
    for (int i = 0; i < 100; i++)
        free(malloc(100));
    snprintf(text, sizeof(text), "%d", (int)getppid());
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    nanosleep(&soon, NULL);
    in_children();
    as_before();
    close(dup(0));
    say("end\n");
}

static _Noreturn void stay(void)
{
    char text[64];

    snprintf(text, sizeof(text), "pid %d\n", (int)getpid());
    say(text);
    while (hear(text), text[0]) {
        snprintf(text, sizeof(text), "ticks %u\n", atomic_load(&ticks));
        say(text);
    }
    exit(0);
}

static void in_a_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        return;
    waitpid(child, NULL, 0);
    exit(0);
}

static void daemonize(void)
{
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
}

static int sleep_on(void *unused)
{
    (void)unused;
    while (pause() < 0)
        ;
    return 0;
}

static void *sleep_in_thread(void *unused)
{
    sleep_on(unused);
    return NULL;
}

static void tick(union sigval value)
{
    (void)value;
    atomic_fetch_add(&ticks, 1);
}

static int timer_by_thread(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
    struct itimerspec times = {{0, 5000000}, {0, 5000000}};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        return -1;
    return timer_settime(timer, 0, &times, NULL);
}

static int first_thread(const char *how)
{
    pthread_t thread;
    thrd_t other;

    if (strcmp(how, "pthread_create") == 0)
        return pthread_create(&thread, NULL, sleep_in_thread, NULL);
    if (strcmp(how, "thrd_create") == 0)
        return thrd_create(&other, sleep_on, NULL) == thrd_success ? 0 : -1;
    return timer_by_thread();
}

int main(int argc, char **argv)
{
    char how[64];

    if (argc > 1) {
        work();
        stay();
    }
    say("ready\n");
    hear(how);
    if (strcmp(how, "fork") == 0)
        in_a_fork();
    else if (strcmp(how, "daemon") == 0)
        daemonize();
    else if (strcmp(how, "exec") == 0)
        execl(argv[0], argv[0], "again", (char *)NULL);
    else if (strcmp(how, "plain") != 0)
        return first_thread(how) == 0 ? (stay(), 0) : 5;
    work();
    stay();
}
