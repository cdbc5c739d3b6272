/*
 * signals.c - a program that uses signals in unusual ways. Questions on standard input, one on each line:
 *
 *   wait FUNCTION    blocks every signal and waits for any by that function (`raw`: rt_sigtimedwait(2) with
 *                    no signal blocked); prints `waiting`, later `took N`
 *   take FUNCTION    sets its own handler for the doorbell by that function; the handler prints `mine`
 *   action           prints the action that sigaction(2) reports for the doorbell
 *   default          sets the default action; prints the previous action
 *   vfork, clone     a child that shares the memory: prints `child PID`, waits for a line, then prints `ended N`
 *   small SIZE       an alternate stack of SIZE bytes and SIGUSR1 handled there
 *   thread SIZE      a thread with a stack of SIZE bytes that waits
 */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset(3) */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOORBELL (SIGRTMIN + 12)

extern sighandler_t bsd_signal(int signal, sighandler_t handler);

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(3);
}

static void mine(int signal)
{
    (void)signal;
    say("mine\n");
}

static void handled(int signal)
{
    (void)signal;
}

static void wait_by(const char *function)
{
    siginfo_t info = {0};
    struct signalfd_siginfo read_info = {0};
    struct timespec limit = {60, 0};
    sigset_t all, before, none;
    char line[64];
    int taken = 0, fd;

    sigfillset(&all);
    sigemptyset(&none);
    /* The kernel ends a process at once that neither blocks nor handles the signal. */
    signal(SIGRTMAX, handled);
    sigprocmask(SIG_SETMASK, strcmp(function, "raw") == 0 ? &none : &all, &before);
    say("waiting\n");
    if (strcmp(function, "sigwait") == 0)
        sigwait(&all, &taken);
    else if (strcmp(function, "sigwaitinfo") == 0)
        taken = sigwaitinfo(&all, &info);
    else if (strcmp(function, "sigtimedwait") == 0)
        taken = sigtimedwait(&all, &info, &limit);
    else if (strcmp(function, "raw") == 0)
        taken = (int)syscall(SYS_rt_sigtimedwait, &all, &info, &limit, 8);
    else if (strcmp(function, "signalfd") == 0) {
        fd = signalfd(-1, &all, SFD_CLOEXEC);
        if (read(fd, &read_info, sizeof(read_info)) == sizeof(read_info))
            taken = (int)read_info.ssi_signo;
        close(fd);
    }
    snprintf(line, sizeof(line), "took %d%s\n", taken,
             sigismember(&all, DOORBELL) ? "" : ", and the set was changed");
    say(line);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void take_by(const char *function)
{
    struct sigaction action = {0};
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } raw = {mine, 0, NULL, 0};

    action.sa_handler = mine;
    if (strcmp(function, "sigaction") == 0)
        sigaction(DOORBELL, &action, NULL);
    else if (strcmp(function, "signal") == 0)
        signal(DOORBELL, mine);
    else if (strcmp(function, "sigset") == 0)
        sigset(DOORBELL, mine);
    else if (strcmp(function, "bsd_signal") == 0)
        bsd_signal(DOORBELL, mine);
    else if (strcmp(function, "sysv_signal") == 0)
        sysv_signal(DOORBELL, mine);
    else if (strcmp(function, "syscall") == 0) {
        /* libc's restorer, with the flag for it */
        sigaction(SIGUSR2, &action, NULL);
        syscall(SYS_rt_sigaction, SIGUSR2, NULL, &raw, 8);
        syscall(SYS_rt_sigaction, DOORBELL, &raw, NULL, 8);
    }
    say("ok\n");
}

static void say_action(const struct sigaction *action)
{
    say((action->sa_flags & SA_SIGINFO) || action->sa_handler != SIG_DFL ? "other\n" : "default\n");
}

static int child(void *unused)
{
    char line[32];

    (void)unused;
    snprintf(line, sizeof(line), "child %d\n", (int)syscall(SYS_getpid));
    say(line);
    _exit(read(0, line, 1) == 1 ? 7 : 8);
}

static void share(const char *how)
{
    static char stack[65536] __attribute__((aligned(64)));
    char line[32];
    int status = 0;
    pid_t pid;

    if (strcmp(how, "vfork") == 0) {
        pid = vfork();
        if (pid == 0)
            child(NULL);
    } else {
        pid = clone(child, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    snprintf(line, sizeof(line), "ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    say(line);
}

/* Set a small alternate stack. sigaltstack(3) of some versions of libc requires more; the kernel accepts 2,048
 * bytes. */
static void use_small(size_t size)
{
    stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
    struct sigaction action = {.sa_flags = SA_ONSTACK};

    action.sa_handler = handled;
    sigaction(SIGSEGV, &action, NULL);
    say(syscall(SYS_sigaltstack, &stack, NULL) == 0 ? "ok\n" : "refused\n");
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    say("thread\n");
    for (;;)
        pause();
    return NULL;
}

static void start_thread(size_t size)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, size);
    if (pthread_create(&thread, &attributes, wait_for_ever, NULL) != 0)
        say("refused\n");
}

static int next_line(char *line, size_t size)
{
    size_t length = 0;

    while (length < size - 1) {
        ssize_t got = read(0, line + length, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got != 1)
            return 0;
        if (line[length++] == '\n')
            break;
    }
    line[length] = '\0';
    return 1;
}

int main(void)
{
    char line[64], word[16], rest[16];
    struct sigaction old, usual = {0};

    say("ready\n");
    while (next_line(line, sizeof(line))) {
        word[0] = rest[0] = '\0';
        sscanf(line, "%15s %15s", word, rest);
        if (strcmp(word, "wait") == 0)
            wait_by(rest);
        else if (strcmp(word, "take") == 0)
            take_by(rest);
        else if (strcmp(word, "vfork") == 0 || strcmp(word, "clone") == 0)
            share(word);
        else if (strcmp(word, "small") == 0)
            use_small((size_t)atol(rest));
        else if (strcmp(word, "thread") == 0)
            start_thread((size_t)atol(rest));
        else if (strcmp(word, "action") == 0 && sigaction(DOORBELL, NULL, &old) == 0)
            say_action(&old);
        else if (strcmp(word, "default") == 0 && sigaction(DOORBELL, &usual, &old) == 0)
            say_action(&old);
        else
            say("?\n");
    }
    return 0;
}
