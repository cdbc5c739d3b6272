/* compiler.c - see compiler.h. */
#include "cli/build/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/build/file_bytes.h"
#include "cli/output/output.h"

/* What changes a compiler's outputs, and what belongs to hotpatch and not to compilers. */
static const char *const unset[] = {"LD_PRELOAD", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES",
                                    "GCC_COLORS", "CC_LOGFILE",          "COLLECT_GCC_OPTIONS"};

static void set_environment(const struct compile_job *job, const struct build_owner *owner,
                            const char *scratch)
{
    struct passwd *entry = owner->other ? getpwuid(owner->uid) : NULL;
    const char *path = getenv("PATH");
    char *kept = format_text("%s", path ? path : "/usr/bin:/bin");

    if (owner->other) /* root's variables are not the owner's */
        clearenv();
    for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
        unsetenv(unset[i]);
    setenv("PATH", kept, 1);
    setenv("PWD", job->directory, 1);
    setenv("TMPDIR", scratch, 1);
    setenv("LC_ALL", "C.UTF-8", 1); /* compiler_first_error() reads the words */
    setenv("CCACHE_DISABLE", "1", 1);
    /* __DATE__ and __TIME__ are those of no compilation, so that the unedited object has the edited one's. */
    setenv("SOURCE_DATE_EPOCH", "0", 0);
    if (owner->other)
        setenv("HOME", entry ? entry->pw_dir : scratch, 1);
    free(kept);
}

/* Say on the report pipe what failed, and end the child. */
static _Noreturn void child_failed(int report, const char *what)
{
    char text[300];
    int size = snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));

    if (write(report, text, (size_t)size) != size)
        _exit(126);
    _exit(127);
}

static _Noreturn void run_child(const struct compile_job *job, const struct build_owner *owner,
                                const char *scratch, int report)
{
    int none = open("/dev/null", O_RDONLY), words;
    sigset_t nothing;

    if (owner_become(owner) != 0)
        child_failed(report, "take the rights of the build directory's owner");
    words = open(job->output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (none < 0 || words < 0 || dup2(none, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0)
        child_failed(report, job->output);
    if (chdir(job->directory) != 0)
        child_failed(report, job->directory);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    umask(077);
    set_environment(job, owner, scratch);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execvp(job->words.list[0], job->words.list);
    child_failed(report, job->words.list[0]);
}

static void start(struct compile_job *job, const struct build_owner *owner, const char *scratch,
                  pid_t group)
{
    int ends[2];

    job->pid = 0;
    job->report = job->end = -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        job->failure = format_text("make a pipe: %s", strerror(errno));
        return;
    }
    job->pid = fork();
    if (job->pid == 0) {
        if (group)
            setpgid(0, group);
        run_child(job, owner, scratch, ends[1]);
    }
    close(ends[1]);
    job->report = ends[0];
    job->end = job->pid > 0 ? pidfd_open(job->pid, 0) : -1;
    if (job->pid < 0)
        job->failure = format_text("fork: %s", strerror(errno));
}

/* Take the result of a job whose child has ended. */
static void take_end(struct compile_job *job, int status)
{
    char text[300];
    ssize_t size = read(job->report, text, sizeof(text) - 1);

    if (size > 0)
        job->failure = format_text("%.*s", (int)size, text);
    else if (WIFSIGNALED(status))
        job->failure =
            format_text("signal %d (%s) ended it", WTERMSIG(status), strsignal(WTERMSIG(status)));
    job->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void await_end(struct compile_job *job)
{
    int status = 0;

    if (job->pid > 0) {
        while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
            ;
        take_end(job, status);
    }
    if (job->report >= 0)
        close(job->report);
    if (job->end >= 0)
        close(job->end);
    job->report = job->end = -1;
    job->pid = 0;
}

static size_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return count > 1 ? (size_t)count : 1;
}

/* Return a descriptor that can be read when a signal is pending that ends the command and that the caller holds back. */
static int held_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t blocked, held;

    sigemptyset(&held);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action;

        if (sigismember(&blocked, numbers[i]) && sigaction(numbers[i], NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN)
            sigaddset(&held, numbers[i]);
    }
    return signalfd(-1, &held, SFD_CLOEXEC);
}

/* Return the index of a running job that has ended; waits for one. Return `count` if a signal comes first. */
static size_t await_any(const struct compile_job *jobs, size_t count, int signals)
{
    struct pollfd *events = allocate((count + 1) * sizeof(*events));
    size_t ended = count;
    bool seen = false, blind = false;

    while (!seen) {
        events[count] = (struct pollfd){.fd = signals, .events = POLLIN};
        for (size_t i = 0; i < count; i++) {
            events[i] = (struct pollfd){.fd = jobs[i].end, .events = POLLIN};
            blind |= jobs[i].pid > 0 && jobs[i].end < 0;
        }
        if (poll(events, count + 1, blind ? 10 : -1) < 0 && errno != EINTR)
            break;
        seen = signals >= 0 && events[count].revents;
        for (size_t i = 0; i < count && !seen; i++) {
            siginfo_t info = {0};

            seen = jobs[i].pid > 0 &&
                   waitid(P_PID, (id_t)jobs[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                   info.si_pid == jobs[i].pid;
            ended = seen ? i : count;
        }
    }
    free(events);
    return ended;
}

/* End the running jobs, and let no other begin. */
static void stop(struct compile_job *jobs, size_t count, pid_t group)
{
    if (group)
        kill(-group, SIGTERM);
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].pid > 0) {
            kill(jobs[i].pid, SIGKILL);
            await_end(&jobs[i]);
        }
        if (jobs[i].failure || jobs[i].status < 0) {
            free(jobs[i].failure);
            jobs[i].failure = format_text("a signal asked hotpatch to end");
        }
    }
}

void compiler_run(struct compile_job *jobs, size_t count, const struct build_owner *owner,
                  const char *scratch, pid_t group)
{
    size_t next = 0, running = 0, most = processors();
    int signals = held_signals();

    for (size_t i = 0; i < count; i++)
        jobs[i].status = -1;
    for (size_t ended = 0; ended < count;) {
        size_t job;

        while (next < count && running < most) {
            start(&jobs[next], owner, scratch, group);
            if (jobs[next].pid > 0)
                running++;
            else
                await_end(&jobs[next]), ended++;
            next++;
        }
        if (!running)
            continue;
        job = await_any(jobs, next, signals);
        if (job == next) {
            stop(jobs, count, group);
            break;
        }
        await_end(&jobs[job]);
        running--;
        ended++;
    }
    if (signals >= 0)
        close(signals);
}

bool compiler_done(const struct compile_job *job)
{
    return !job->failure && job->status == 0;
}

char *compiler_words(const struct compile_job *job)
{
    char *text;
    size_t size;

    if (job->failure)
        return format_text("%s\n", job->failure);
    return file_bytes_read(job->output, &text, &size, NULL) == 0 ? text : format_text("%s", "");
}

char *compiler_first_error(const char *words)
{
    const char *line = words;

    for (const char *at = words; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        size_t length = strcspn(at, "\n");
        const char *found = strstr(at, "error");

        if (found && found < at + length) {
            line = at;
            break;
        }
    }
    return format_text("%.*s", (int)strcspn(line, "\n"), line);
}

void compiler_job_free(struct compile_job *job)
{
    words_free(&job->words);
    free(job->output);
    free(job->failure);
    memset(job, 0, sizeof(*job));
}
