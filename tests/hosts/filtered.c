/*
 * filtered.c - a test host that sets seccomp filters, and ends in several ways.
 *
 *   filter HOW WHICH ACTION   HOW: prctl, syscall, tsync, inline (by an instruction of its own), strict
 *                             WHICH: own (allows the calls that this program needs), few (its _exit is not allowed),
 *                             needed (also the calls that the library reports as needed), needed-but:CALL
 *                             ACTION: kill, kill-thread, trap, errno: for any other call
 *   exit N, leave N, raw-exit N, inline-exit N, thread-exit N: ways to end
 *   forked FILTER...          a child sets such a filter and leaves by _exit(3); prints its wait status
 *   getuid                    a call that none of these filters allows
 *
 * With FILTERED_UNDER=WHICH in its environment it executes itself again, under such a filter that kills; with
 * needed-but:CALL under a filter that fails that call.
 */
#include <hotpatch.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/needed_calls.h"
#include "loop.h"

enum { CODE_MAX = 600 };

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

static const int own_calls[] = {
    SYS_read,         SYS_write,     SYS_exit_group,      SYS_exit,
    SYS_rt_sigreturn, SYS_nanosleep, SYS_clock_nanosleep, SYS_restart_syscall,
};

/* The calls that exec and ld.so need before the library's constructor runs, and the call that sets the filter. */
static const int start_calls[] = {
    SYS_execve,     SYS_arch_prctl, SYS_set_tid_address, SYS_lseek,  SYS_statx,
    SYS_prlimit64,  SYS_getuid,     SYS_getppid,         SYS_wait4,  SYS_alarm,
    SYS_exit_group, SYS_ioctl,      SYS_readlink,        SYS_clone3, SYS_clone,
};

struct named {
    const char *name;
    int number;
};

static const struct named needed_calls[] = {
#define NEEDED(name, need) {#name, SYS_##name},
#define NEEDED_WITH(name, need, ...) {#name, SYS_##name},
    NEEDED_CALLS(NEEDED, NEEDED_WITH) NEEDED(clone3, MUST)};

static pthread_t main_thread;
static struct sock_filter code[CODE_MAX];
static unsigned short length;

static void allow(int number)
{
    code[length++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static unsigned action_of(const char *name)
{
    return strcmp(name, "errno") == 0         ? SECCOMP_RET_ERRNO | EPERM
           : strcmp(name, "trap") == 0        ? SECCOMP_RET_TRAP
           : strcmp(name, "kill-thread") == 0 ? SECCOMP_RET_KILL_THREAD
                                              : SECCOMP_RET_KILL_PROCESS;
}

static struct sock_fprog program(const char *which, const char *action, bool starts)
{
    const char *but = strchr(which, ':');

    length = 0;
    code[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof(own_calls) / sizeof(*own_calls); i++)
        if (strcmp(which, "few") != 0 || own_calls[i] != SYS_exit_group)
            allow(own_calls[i]);
    for (size_t i = 0; starts && i < sizeof(start_calls) / sizeof(*start_calls); i++)
        allow(start_calls[i]);
    for (size_t i = 0;
         strncmp(which, "needed", 6) == 0 && i < sizeof(needed_calls) / sizeof(*needed_calls); i++)
        if (!but || strcmp(but + 1, needed_calls[i].name) != 0)
            allow(needed_calls[i].number);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action_of(action));
    return (struct sock_fprog){length, code};
}

static long by_instruction(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static long set_filter(const char *how, struct sock_fprog *filter)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (strcmp(how, "strict") == 0)
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    if (strcmp(how, "prctl") == 0)
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter);
    if (strcmp(how, "inline") == 0)
        return by_instruction(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)filter);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   strcmp(how, "tsync") == 0 ? SECCOMP_FILTER_FLAG_TSYNC : 0, filter);
}

/* Set a filter. The answer is prepared before, and then needs only write(2). */
static void filter(char *how)
{
    char *which = split(how), *action = split(which);
    struct sock_fprog filter = program(which, action, false);

    say("%s", set_filter(how, &filter) == 0 ? "set" : "failed");
}

static void *end_after_main_thread(void *status)
{
    pthread_join(main_thread, NULL);
    exit((int)(intptr_t)status);
}

static void leave_to_thread(char *status)
{
    pthread_t thread;

    main_thread = pthread_self();
    /* The line is on the main thread's stack, which the end of that thread uses again. */
    pthread_create(&thread, NULL, end_after_main_thread, (void *)(intptr_t)atoi(status));
    pthread_exit(NULL);
}

static void forked(char *how)
{
    pid_t child = fork();
    int result = 0;

    if (child == 0) {
        char *which = split(how), *action = split(which);
        struct sock_fprog filter = program(which, action, false);

        set_filter(how, &filter);
        _exit(3);
    }
    waitpid(child, &result, 0);
    say("%d", result & ~0x80); /* a core file does not matter */
}

static void command(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0 || strcmp(word, "pointer") == 0)
        say("%d", answer());
    else if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "filter") == 0)
        filter(rest);
    else if (strcmp(word, "exit") == 0)
        exit(atoi(rest));
    else if (strcmp(word, "leave") == 0)
        _exit(atoi(rest));
    else if (strcmp(word, "raw-exit") == 0)
        syscall(SYS_exit, atoi(rest));
    else if (strcmp(word, "inline-exit") == 0)
        by_instruction(SYS_exit, atoi(rest), 0, 0);
    else if (strcmp(word, "getuid") == 0)
        say("%ld", by_instruction(SYS_getuid, 0, 0, 0)); /* none of these filters allows it */
    else if (strcmp(word, "forked") == 0)
        forked(rest);
    else if (strcmp(word, "thread-exit") == 0)
        leave_to_thread(rest);
    else
        say("?");
}

int main(int argc, char **argv)
{
    const char *under = getenv("FILTERED_UNDER");

    (void)argc;
    if (under && *under) {
        struct sock_fprog filter = program(under, strchr(under, ':') ? "errno" : "kill", true);

        setenv("FILTERED_UNDER", "", 1);
        if (set_filter("prctl", &filter) == 0)
            execv("/proc/self/exe", argv);
        return 127;
    }
    return loop();
}
