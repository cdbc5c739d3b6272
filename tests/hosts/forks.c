/*
 * forks.c - makes children on request, and lets them end in every way that a process can.
 *
 *   many N      N children, one after the other, that end by exit(3) or _exit(2) in turn
 *   bare N      N children, made by a system call alone, that end by exit(3)
 *   fork        a child that waits; its PID is the answer
 *   end HOW     the last child ends: exit, _exit, exec (of another program, which ends), kill
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static int orders[2] = {-1, -1};

static void many(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0 && i % 2)
            exit(0);
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
    puts("done");
}

static void bare(int count)
{
    for (int i = 0; i < count; i++) {
        pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

        if (pid == 0)
            exit(0);
        waitpid(pid, NULL, 0);
    }
    puts("done");
}

static void end(char how)
{
    if (how == 'e')
        exit(0);
    if (how == '_')
        _exit(0);
    if (how == 'k')
        raise(SIGKILL);
    unsetenv("LD_PRELOAD");
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

static void make_child(void)
{
    char how = '_';

    if (pipe(orders) != 0)
        exit(1);
    child = fork();
    if (child == 0) {
        close(orders[1]);
        while (read(orders[0], &how, 1) < 0)
            ;
        end(how);
    }
    close(orders[0]);
    printf("pid %d\n", (int)child);
}

static void end_child(const char *how)
{
    char letter = strcmp(how, "exec") == 0 ? 'x' : how[0];

    if (write(orders[1], &letter, 1) != 1)
        exit(1);
    waitpid(child, NULL, 0);
    close(orders[1]);
    puts("ended");
}

int main(void)
{
    char line[100], word[16] = "", rest[16] = "";

    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        sscanf(line, "%15s %15s", word, rest);
        if (strcmp(word, "many") == 0)
            many(atoi(rest));
        else if (strcmp(word, "bare") == 0)
            bare(atoi(rest));
        else if (strcmp(word, "fork") == 0)
            make_child();
        else if (strcmp(word, "end") == 0)
            end_child(rest);
        else
            puts("?");
        fflush(stdout);
    }
    return 0;
}
