/* talker.c - see talker.h. */
#include "tests/support/talker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

void talker_start(struct talker *talker, const char *directory, const char *const *argv)
{
    const char *words[32] = {"hotpatch"};
    int pipes[2], count = 1;

    while (*argv && count < 31)
        words[count++] = *argv++;
    memset(talker, 0, sizeof(*talker));
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    fflush(NULL);
    talker->pid = fork();
    assert_true(talker->pid >= 0);
    if (talker->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        setenv("HOTPATCH_DIR", directory, 1);
        execv(built("hotpatch"), (char *const *)words);
        _exit(127);
    }
    close(pipes[1]);
    talker->from = pipes[0];
}

/* Read more. Return false at the end of the output, or after a time without any. */
static bool hear(struct talker *talker, int timeout)
{
    struct pollfd polled = {talker->from, POLLIN, 0};
    ssize_t got = 0;

    if (poll(&polled, 1, timeout) == 1)
        got = read(talker->from, talker->text + talker->size,
                   sizeof(talker->text) - 1 - talker->size);
    if (got <= 0)
        return false;
    talker->size += (size_t)got;
    talker->text[talker->size] = '\0';
    return true;
}

void talker_await(struct talker *talker, const char *text)
{
    const char *found;

    while (!(found = strstr(talker->text + talker->heard, text)))
        if (!hear(talker, HARNESS_TIMEOUT_MS))
            fail_msg("it does not print \"%s\" but\n%s", text, talker->text + talker->heard);
    talker->heard = (size_t)(found - talker->text) + strlen(text);
}

bool talker_said(struct talker *talker, const char *text)
{
    while (hear(talker, 0))
        ;
    return strstr(talker->text + talker->heard, text) != NULL;
}

int talker_wait(struct talker *talker)
{
    int status;

    while (hear(talker, HARNESS_TIMEOUT_MS))
        ;
    assert_int_equal(waitpid(talker->pid, &status, 0), talker->pid);
    talker->pid = 0;
    return status;
}

int talker_interrupt(struct talker *talker)
{
    assert_int_equal(kill(talker->pid, SIGINT), 0);
    return talker_wait(talker);
}

void talker_stop(struct talker *talker)
{
    if (talker->pid > 0) {
        kill(talker->pid, SIGKILL);
        waitpid(talker->pid, NULL, 0);
    }
    if (talker->from > 0)
        close(talker->from);
    memset(talker, 0, sizeof(*talker));
}
