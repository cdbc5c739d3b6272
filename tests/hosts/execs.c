/*
 * execs.c - a program that executes itself, by each function that can do so.
 *
 * `execs chain N`: N times in one process, then prints `done`. `execs fork|vfork|spawn|system|instruction N`: N
 * children do so; the program prints how a child ended that did not end with status 0. `execs ask`: on standard input
 * `exec FUNCTION` and `fail FUNCTION`; the new program, without LD_PRELOAD, prints the doorbell's action.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOORBELL (SIGRTMIN + 12)

extern char **environ;

static const char *self;

static const char *const functions[] = {"execve",   "execv", "execvp", "execvpe", "fexecve",
                                        "execveat", "execl", "execlp", "execle",  "syscall"};
enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

/* Execute by a system call instruction, which no library can intercept. */
static void execute_by_instruction(const char *path, char *const arguments[])
{
    long result = SYS_execve;

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(path), "S"(arguments), "d"(environ)
                     : "rcx", "r11", "memory");
}

static void execute(const char *function, const char *path, const char *mode, const char *number)
{
    char *arguments[] = {(char *)path, (char *)mode, (char *)number, NULL};
    int fd;

    if (strcmp(function, "execve") == 0)
        execve(path, arguments, environ);
    else if (strcmp(function, "execv") == 0)
        execv(path, arguments);
    else if (strcmp(function, "execvp") == 0)
        execvp(path, arguments);
    else if (strcmp(function, "execvpe") == 0)
        execvpe(path, arguments, environ);
    else if (strcmp(function, "execl") == 0)
        execl(path, path, mode, number, (char *)NULL);
    else if (strcmp(function, "execlp") == 0)
        execlp(path, path, mode, number, (char *)NULL);
    else if (strcmp(function, "execle") == 0)
        execle(path, path, mode, number, (char *)NULL, environ);
    else if (strcmp(function, "syscall") == 0)
        syscall(SYS_execve, path, arguments, environ);
    else if (strcmp(function, "instruction") == 0)
        execute_by_instruction(path, arguments);
    fd = open(path, O_PATH | O_CLOEXEC);
    if (strcmp(function, "fexecve") == 0)
        fexecve(fd, arguments, environ);
    else if (strcmp(function, "execveat") == 0)
        execveat(fd, "", arguments, environ, AT_EMPTY_PATH);
    close(fd);
}

static int chain(int left)
{
    char number[16];

    if (left == 0) {
        printf("done\n");
        return 0;
    }
    snprintf(number, sizeof(number), "%d", left - 1);
    execute(functions[left % FUNCTIONS], self, "chain", number);
    return 1;
}

static int ended(int status)
{
    if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        printf("status %d\n", WEXITSTATUS(status));
    return status != 0;
}

static int make_child(const char *how, int number)
{
    char *arguments[] = {(char *)self, "leaf", NULL};
    char line[4200];
    int status = -1;
    pid_t child = -1;

    if (strcmp(how, "system") == 0) {
        snprintf(line, sizeof(line), "exec %s leaf", self);
        return ended(system(line));
    }
    if (strcmp(how, "spawn") == 0 && posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0)
        return 1;
    if (strcmp(how, "fork") == 0 || strcmp(how, "instruction") == 0)
        child = fork();
    else if (strcmp(how, "vfork") == 0)
        child = vfork();
    if (child == 0) {
        execute(strcmp(how, "instruction") == 0 ? how : functions[number % FUNCTIONS], self, "leaf",
                NULL);
        _exit(127);
    }
    return waitpid(child, &status, 0) != child || ended(status);
}

static int make_children(const char *how, int count)
{
    int failed = 0;

    for (int i = 0; i < count; i++)
        failed += make_child(how, i);
    printf("%s\n", failed ? "failed" : "done");
    return failed != 0;
}

static void say_action(void)
{
    struct sigaction now;

    sigaction(DOORBELL, NULL, &now);
    printf("%s\n", now.sa_handler == SIG_IGN   ? "ignored"
                   : now.sa_handler == SIG_DFL ? "default"
                                               : "caught");
    fflush(stdout);
}

/* Print the signals that the kernel lists as caught. The shim may report its own handler in another way. */
static void say_caught(void)
{
    char line[128];
    unsigned long caught = 0;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "SigCgt: %lx", &caught) == 1)
            break;
    if (status)
        fclose(status);
    printf("%s\n", (caught >> (DOORBELL - 1)) & 1 ? "caught" : "not caught");
    fflush(stdout);
}

static int ask(void)
{
    char line[64], word[16], function[16];

    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "%15s %15s", word, function) != 2)
            return 2;
        if (strcmp(word, "fail") == 0) {
            execute(function, "/nowhere/at/all", "report", NULL);
            say_caught();
        } else {
            unsetenv("LD_PRELOAD");
            execute(function, self, "report", NULL);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc == 2 && strcmp(argv[1], "leaf") == 0)
        return 0;
    if (argc == 2 && strcmp(argv[1], "report") == 0) {
        say_action();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "ask") == 0)
        return ask();
    if (argc != 3)
        return 2;
    if (strcmp(argv[1], "chain") == 0)
        return chain(atoi(argv[2]));
    return make_children(argv[1], atoi(argv[2]));
}
