/*
 * confined.c - a test host that restricts its environment: limits, umask, locale, locked memory, filters.
 */
#include <hotpatch.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

static void done(int failed)
{
    say("%s", failed ? strerror(errno) : "done");
}

/* Set a limit for `limit RESOURCE VALUE`: RESOURCE is the number of resource.h; soft and hard. */
static void limit(const char *rest)
{
    char *end;
    int resource = (int)strtol(rest, &end, 10);
    rlim_t value = (rlim_t)strtoull(end, NULL, 10);
    struct rlimit both = {value, value};

    done(setrlimit((__rlimit_resource_t)resource, &both));
}

/* Refuse system calls of all threads of this process, for `refuse NUMBER ERRNO [NUMBER ERRNO]...`. */
static void refuse_calls(char *rest)
{
    struct sock_filter code[64] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    struct sock_fprog program = {1, code};
    bool reads_refused = false;
    char *end = rest;

    for (long number = strtol(rest, &end, 10); end != rest && program.len < 60;
         number = strtol(rest, &end, 10)) {
        long error = strtol(end, &rest, 10);

        reads_refused = reads_refused || number == SYS_read;
        code[program.len++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1);
        code[program.len++] =
            (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
    }
    code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    done(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0);
    while (reads_refused) /* no further questions are read */
        pause();
}

static void become_child(void)
{
    pid_t pid = fork();

    if (pid > 0) {
        int status;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }
    say("pid %d", (int)getpid());
}

static void become_user(int uid)
{
    errno = 0;
    done(syscall(SYS_setgroups, 0, NULL) | setgid((gid_t)uid) | setuid((uid_t)uid));
}

static void *nothing(void *unused)
{
    return unused;
}

static void make_thread(void)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, nothing, NULL);
    if (errno == 0)
        pthread_join(thread, NULL);
    done(errno);
}

static void make_child(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    done(pid < 0 || waitpid(pid, NULL, 0) != pid);
}

/* Make a child by the named call: fork, vfork, or clone and clone3 through syscall(2). */
static void make_child_by(const char *call)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    pid_t pid;

    if (strcmp(call, "vfork") == 0) {
        pid = vfork();
        if (pid == 0)
            _exit(0);
    } else {
        pid = (pid_t)(strcmp(call, "fork") == 0    ? syscall(SYS_fork)
                      : strcmp(call, "clone") == 0 ? syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)
                                                   : syscall(SYS_clone3, &args, sizeof(args)));
        if (pid == 0)
            _exit(0);
    }
    done(pid < 0 || waitpid(pid, NULL, 0) != pid);
}

static void command(const char *word, char *rest)
{
    if (strcmp(word, "answer") == 0)
        say("%d", answer());
    else if (strcmp(word, "greeting") == 0)
        say("hello");
    else if (strcmp(word, "locale") == 0)
        say("%s", setlocale(LC_ALL, rest) ? "done" : "no such locale");
    else if (strcmp(word, "umask") == 0) {
        umask((mode_t)strtoul(rest, NULL, 8));
        say("done");
    } else if (strcmp(word, "get-umask") == 0) {
        mode_t mask = umask(0);

        umask(mask);
        say("%04o", (unsigned)mask);
    } else if (strcmp(word, "limit") == 0)
        limit(rest);
    else if (strcmp(word, "lock-memory") == 0)
        done(mlockall(atoi(rest)));
    else if (strcmp(word, "refuse") == 0)
        refuse_calls(rest);
    else if (strcmp(word, "fork") == 0)
        become_child();
    else if (strcmp(word, "setuid") == 0)
        become_user(atoi(rest));
    else if (strcmp(word, "dumpable") == 0) /* as in a program that the user has started */
        done(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    else if (strcmp(word, "thread") == 0)
        make_thread();
    else if (strcmp(word, "child") == 0)
        make_child();
    else if (strcmp(word, "child-by") == 0)
        make_child_by(rest);
    else if (strcmp(word, "chdir") == 0)
        done(chdir(rest));
    else
        say("?");
}

int main(void)
{
    return loop();
}
