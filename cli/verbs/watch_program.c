/*
 * watch_program.c - see watch_program.h.
 */
#include "cli/verbs/watch_program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/refusal.h"
#include "cli/session/reply.h"
#include "cli/verbs/run.h"

static void take_signals(struct sigaction *interrupt, struct sigaction *quit)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &ignore, interrupt);
    sigaction(SIGQUIT, &ignore, quit);
}

pid_t watch_program_start(char **argv, bool json)
{
    struct sigaction interrupt, quit;
    struct refusal why = {0};
    pid_t pid;

    take_signals(&interrupt, &quit);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        _exit(program_start(argv, NULL, json));
    }
    if (pid < 0) {
        refuse(&why, HP_NO_PROGRAM, "run %s: %s", argv[0], strerror(errno));
        refused("watch", 0, &why, json);
        return -1;
    }
    return pid;
}

bool watch_program_ended(pid_t pid, bool wait, int *status)
{
    pid_t ended;

    do
        ended = waitpid(pid, status, wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended == 0)
        return false;
    return true;
}

int watch_program_end(pid_t pid)
{
    int status;

    kill(pid, SIGTERM);
    watch_program_ended(pid, true, &status);
    return status;
}

int watch_program_exit(int status)
{
    const struct rlimit no_core = {0, 0};

    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    /* The shell reports the signal then. The program has dumped its core. */
    setrlimit(RLIMIT_CORE, &no_core);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}
