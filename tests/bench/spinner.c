/*
 * spinner.c - an injected host in a loop of what its argument names, or waiting; `answer` can be patched. Ends with
 * its parent.
 */
#include <hotpatch.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 0;
}

static void by_malloc(void)
{
    void *volatile block = malloc(1000);

    free(block);
}

static void by_getc(void)
{
    static FILE *file;

    if (!file)
        file = fopen("/dev/zero", "re");
    for (int i = 0; file && i < 1000; i++)
        getc(file);
}

static void by_printf(void)
{
    static FILE *file;

    if (!file)
        file = fopen("/dev/null", "we");
    if (file)
        fprintf(file, "%d %s %g\n", 12, "text", 1.5);
}

static void by_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void by_qsort(void)
{
    int values[64];

    for (int i = 0; i < 64; i++)
        values[i] = (i * 37) % 64;
    qsort(values, 64, sizeof(*values), compare);
}

static void by_pause(void)
{
    pause();
}

static const struct {
    const char *name;
    void (*turn)(void);
} ways[] = {{"malloc", by_malloc}, {"getc", by_getc},   {"printf", by_printf},
            {"fork", by_fork},     {"qsort", by_qsort}, {"pause", by_pause}};

int main(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1)
        return answer();
    for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            for (;;)
                ways[i].turn();
    return 1;
}
