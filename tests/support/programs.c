/*
 * programs.c - the build's files, the command and other programs; see programs.h.
 *
 * Called only in the test program.
 */
#include "tests/support/programs.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

/* Make the path absolute: requests need absolute paths, and hosts and tests change their directory. */
static void make_absolute(const char *variable, const char *otherwise)
{
    char path[PATH_MAX];
    const char *value = getenv(variable);
    if (realpath(value ? value : otherwise, path))
        setenv(variable, path, 1);
}

__attribute__((constructor)) static void begin(void)
{
    make_absolute("HOTPATCH_BUILD", "build");
    make_absolute("HOTPATCH_SOURCE", ".");
    /* A test that writes to a dead host fails; the signal would end the test program. */
    signal(SIGPIPE, SIG_IGN);
}

/* Return DIRECTORY/NAME. Strings that tests get are valid until the program ends; a test makes at most a few
 * hundred. */
const char *path_of(const char *directory, const char *name)
{
    char *path;
    assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
    return path;
}

const char *built(const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    return path_of(getenv("HOTPATCH_BUILD"), name);
}

const char *source_file(const char *name)
{
    return path_of(getenv("HOTPATCH_SOURCE"), name);
}

const char *patch_file(const char *name)
{
    return built("patches/%s.so", name);
}

bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

bool sanitized_for_threads(void)
{
#if defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

const char *pid_text(pid_t pid)
{
    static char texts[8][16];
    static unsigned next;
    char *text = texts[next++ % 8];

    snprintf(text, sizeof(texts[0]), "%d", (int)pid);
    return text;
}

static void drain(int out, int error, struct output *output)
{
    struct pollfd polled[2] = {{out, POLLIN, 0}, {error, POLLIN, 0}};
    char **texts[2] = {&output->out, &output->error};
    size_t sizes[2] = {0, 0};
    int64_t deadline = milliseconds() + 4 * HARNESS_TIMEOUT_MS;
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (poll(polled, 2, ms_until(deadline)) == 0)
            fail_msg("a program does not end; it printed:\n%s\n%s", output->out, output->error);
        for (int i = 0; i < 2; i++) {
            if (!polled[i].revents)
                continue;
            *texts[i] = realloc(*texts[i], sizes[i] + 65537);
            assert_non_null(*texts[i]);
            ssize_t got = read(polled[i].fd, *texts[i] + sizes[i], 65536);
            if (got <= 0)
                polled[i].fd = -1;
            sizes[i] += got > 0 ? (size_t)got : 0;
            (*texts[i])[sizes[i]] = '\0';
        }
    }
}

struct output *run_program(struct host *host, const char *const *argv)
{
    struct output *output = calloc(1, sizeof(*output));
    int out[2], error[2];
    assert_non_null(output);
    output->out = calloc(1, 1);
    output->error = calloc(1, 1);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(error, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(out[1], 1);
        dup2(error[1], 2);
        if (host)
            setenv("HOTPATCH_DIR", host->directory, 1);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    close(error[1]);
    drain(out[0], error[0], output);
    close(out[0]);
    close(error[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    output->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return output;
}

struct output *hotpatch(struct host *host, ...)
{
    const char *argv[32] = {built("hotpatch")};
    size_t count = 1;
    va_list arguments;
    va_start(arguments, host);
    do {
        assert_true(count < 32);
        argv[count] = va_arg(arguments, const char *);
    } while (argv[count++]);
    va_end(arguments);
    return run_program(host, argv);
}

void need_program(const char *name)
{
    struct output *output =
        run_program(NULL, (const char *[]){"sh", "-c", "command -v \"$0\"", name, NULL});
    if (output->status != 0)
        fail_msg("%s is not installed; scripts/setup check installs it", name);
    output_free(output);
}

void output_free(struct output *output)
{
    free(output->out);
    free(output->error);
    free(output);
}

void output_must(struct output *output, int status, const char *said, const char *not_said)
{
    if (output->status != status ||
        (said && !strstr(output->out, said) && !strstr(output->error, said)) ||
        (not_said && (strstr(output->out, not_said) || strstr(output->error, not_said))))
        fail_msg("exit status %d, expected %d%s%s%s%s:\n%.8000s%.8000s", output->status, status,
                 said ? ", with " : "", said ? said : "", not_said ? ", without " : "",
                 not_said ? not_said : "", output->out, output->error);
    output_free(output);
}
