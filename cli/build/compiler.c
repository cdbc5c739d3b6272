/* compiler.c - see compiler.h. */
#include "cli/build/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static void start(struct compile_job *job, const struct build_owner *owner, const char *scratch)
{
    int ends[2];

    job->pid = 0;
    job->report = -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        job->failure = format_text("make a pipe: %s", strerror(errno));
        return;
    }
    job->pid = fork();
    if (job->pid == 0)
        run_child(job, owner, scratch, ends[1]);
    close(ends[1]);
    job->report = ends[0];
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

/* Wait for the oldest of the running jobs. Others that end meanwhile stay zombies for as long. */
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
    job->report = -1;
    job->pid = 0;
}

static size_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return count > 1 ? (size_t)count : 1;
}

/* Return the index of a running job that has ended; waits for one. */
static size_t await_any(struct compile_job *jobs, size_t first, size_t next)
{
    for (;;) {
        siginfo_t info = {0};

        for (size_t i = first; i < next; i++)
            if (jobs[i].pid > 0 &&
                waitid(P_PID, (id_t)jobs[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid == jobs[i].pid)
                return i;
        /* Some child has ended, perhaps none of these: look again soon. */
        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0) {
            bool ours = false;

            for (size_t i = first; i < next; i++)
                ours |= jobs[i].pid == info.si_pid;
            if (!ours)
                usleep(1000);
        } else if (errno != EINTR) {
            return first;
        }
    }
}

void compiler_run(struct compile_job *jobs, size_t count, const struct build_owner *owner,
                  const char *scratch)
{
    size_t next = 0, running = 0, most = processors();

    for (size_t ended = 0; ended < count;) {
        while (next < count && running < most) {
            start(&jobs[next], owner, scratch);
            if (jobs[next].pid > 0)
                running++;
            else
                await_end(&jobs[next]), ended++;
            next++;
        }
        if (!running)
            continue;
        await_end(&jobs[await_any(jobs, 0, next)]);
        running--;
        ended++;
    }
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
