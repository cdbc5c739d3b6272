/* results.c - see results.h. */
#include "cli/output/results.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/fatal.h"
#include "cli/output/output.h"

static struct sigaction pipe_before;
static int failure; /* errno of the first write that failed */

void results_begin(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    /* With O_PATH reading and writing give EBADF, as those of a closed descriptor do. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_CLOEXEC) < 0)
            break;
    sigaction(SIGPIPE, &ignore, &pipe_before);
}

void results_leave(void)
{
    sigaction(SIGPIPE, &pipe_before, NULL);
}

static bool reader_ended(void)
{
    struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&ready, 1, 0) == 1 &&
           (ready.revents & (POLLERR | POLLHUP)); /* a socket says POLLHUP */
}

int results_check(struct refusal *why)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);

    if (flags < 0 || (flags & O_PATH))
        return refuse(why, HP_OUTPUT, "stdout is closed; nothing was done");
    if ((flags & O_ACCMODE) == O_RDONLY)
        return refuse(why, HP_OUTPUT, "stdout is not open for writing; nothing was done");
    if (reader_ended())
        return refuse(why, HP_OUTPUT, "the reader of stdout has ended; nothing was done");
    return 0;
}

bool results_flush(void)
{
    if (fflush(stdout) != 0 && !failure)
        failure = errno;
    if (ferror(stdout) && !failure)
        failure = EIO;
    return failure == 0;
}

struct pollfd results_poll(void)
{
    return (struct pollfd){.fd = STDOUT_FILENO}; /* poll(2) reports POLLERR without being asked */
}

bool results_wanted(void)
{
    if (!failure && reader_ended())
        failure = EPIPE;
    return results_flush();
}

/* Return the exit code where results were lost. 1 states that nothing was changed; after a change it is 6, since
 * the caller does not know the outcome. */
static int exit_of_loss(int exit_code)
{
    if (exit_code != 0)
        return exit_code;
    return error_info(fatal_done() ? HP_UNKNOWN : HP_OUTPUT)->exit_code;
}

int results_end(int exit_code)
{
    struct refusal why = {0};

    results_flush();
    if (fclose(stdout) != 0 && !failure && errno != EBADF)
        failure = errno;
    if (failure == 0)
        return exit_code;
    refuse(&why, HP_OUTPUT, "write to stdout: %s%s", strerror(failure),
           fatal_done() ? "; the request had been carried out" : "");
    refusal_print(&why);
    refusal_clear(&why);
    return exit_of_loss(exit_code);
}

void json_print(struct json_object *document)
{
    json_write(stdout, document);
    results_flush();
}
