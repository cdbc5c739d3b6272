/*
 * harness.c - hosts under the shim; see harness.h.
 *
 * Called only in the test program.
 */
#include "tests/support/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING_AGAIN_MS 20

/* ---- waiting ---- */

void await_readable(struct host *host, int fd, const char *what)
{
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {host->watch, POLLIN, 0}};
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    for (;;) {
        int ready = poll(polled, 2, ms_until(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (polled[0].revents)
            return;
        if (ready == 0)
            fail_msg("no %s within %d ms; log:\n%s", what, HARNESS_TIMEOUT_MS, host_log(host));
        if (polled[1].revents && host->pid == host->child) {
            siginfo_t how = {0};

            /* The host's output before its end is in the pipe now. poll(2) may have checked the pipe before that. */
            if (poll(polled, 1, 0) > 0)
                return;

            waitid(P_PID, (id_t)host->child, &how, WEXITED | WNOWAIT | WNOHANG);
            fail_msg("the host ended (%s %d) before its %s; log:\n%s",
                     how.si_code == CLD_EXITED ? "status" : "signal", how.si_status, what,
                     host_log(host));
        }
        polled[1].fd = -1;
    }
}

/* Watch the files of the directory of `path`. Return a descriptor of events; -1 if the directory cannot be read. */
static int watch_beside(const char *path, uint32_t events)
{
    char directory[PATH_MAX];
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(fd >= 0);
    snprintf(directory, sizeof(directory), "%s", path);
    *strrchr(directory, '/') = '\0';
    if (inotify_add_watch(fd, directory, events) >= 0)
        return fd;
    close(fd);
    return -1;
}

/* Return whether an event came within `timeout_ms`. */
static bool await_event(int watch, int timeout_ms)
{
    char events[4096];
    struct pollfd polled = {watch, POLLIN, 0};
    bool came = poll(&polled, 1, timeout_ms) > 0;
    if (came && read(watch, events, sizeof(events)) < 0 && errno != EAGAIN)
        fail_msg("inotify: %s", strerror(errno));
    return came;
}

void await_file(const char *path)
{
    int fd = watch_beside(path, IN_CREATE | IN_MOVED_TO);
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    assert_true(fd >= 0);
    while (access(path, F_OK) != 0)
        if (!await_event(fd, ms_until(deadline)))
            fail_msg("%s did not appear", path);
    close(fd);
}

/* ---- the first ring ---- */

static bool has_shim_thread(pid_t pid)
{
    char path[64], name[32];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && !found && (task = readdir(tasks));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", (int)pid, task->d_name);
        FILE *file = fopen(path, "re");
        found = file && fgets(name, sizeof(name), file) && strcmp(name, "hotpatch\n") == 0;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return found;
}

/* Return whether the process can take the signal. If the signal is pending already, a second one would stay in the
 * queue. */
static bool takes(pid_t pid, int number)
{
    char path[64], line[256];
    uint64_t caught = 0, pending = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "SigCgt:", 7) == 0)
            caught = strtoull(line + 7, NULL, 16);
        else if (strncmp(line, "SigPnd:", 7) == 0 || strncmp(line, "ShdPnd:", 7) == 0)
            pending |= strtoull(line + 7, NULL, 16);
    if (file)
        fclose(file);
    return (caught & ~pending) >> (number - 1) & 1;
}

/* Return whether the process listens from its start. A test may have chosen this setting for its host. */
static bool listens_from_the_start(pid_t pid)
{
    static const char name[] = "HOTPATCH_LISTEN=";
    char path[64], *variable = NULL;
    size_t capacity = 0;
    bool start = false;

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && getdelim(&variable, &capacity, '\0', file) > 0)
        if (strncmp(variable, name, sizeof(name) - 1) == 0)
            start = strcmp(variable + sizeof(name) - 1, "start") == 0;
    if (file)
        fclose(file);
    free(variable);
    return start;
}

void ring_first(pid_t pid)
{
    int doorbell = SIGRTMIN + 12;
    /* If the threads must come without a ring, a ring would hide that they do not. */
    if (!listens_from_the_start(pid) && !has_shim_thread(pid) && takes(pid, doorbell))
        kill(pid, doorbell);
}

void await_read(pid_t pid)
{
    char path[64], text[8] = "";
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    while (strncmp(text, "0 ", 2) != 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_true(read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        if (ms_until(deadline) == 0)
            fail_msg("process %d does not come to read(2)", (int)pid);
        sched_yield();
    }
}

/* Ring until the file exists. A ring at an unsafe moment makes no thread. */
void ring_until_there(pid_t pid, const char *path)
{
    int fd = watch_beside(path, IN_CREATE | IN_MOVED_TO);
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    assert_true(fd >= 0);
    while (access(path, F_OK) != 0 && ms_until(deadline) > 0) {
        ring_first(pid);
        await_event(fd, RING_AGAIN_MS);
    }
    close(fd);
    await_file(path);
}

int open_when_read(pid_t pid, const char *path)
{
    int watch = watch_beside(path, IN_OPEN);
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    int fd;
    while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)) < 0 &&
           (errno == ENXIO || errno == ENOENT) && ms_until(deadline) > 0) {
        ring_first(pid);
        await_event(watch, RING_AGAIN_MS);
    }
    int error = errno;
    close(watch);
    errno = error;
    return fd;
}

/* ---- hosts ---- */

const char *host_path(struct host *host, const char *name)
{
    return path_of(host->scratch, name);
}

static _Noreturn void become_program(struct host *host, const char *program, int in, int out,
                                     const char *const *environment, bool shim)
{
    int error = open(host_path(host, "stderr"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(error, 2);
    close_range(3, ~0U, 0);
    setenv("HOTPATCH_DIR", host->directory, 1);
    if (shim)
        setenv("LD_PRELOAD", built("libhotpatch_preload.so"), 1);
    for (; environment && *environment; environment++)
        putenv((char *)*environment);
    execl(program, program, (char *)NULL);
    _exit(127);
}

/* The hosts of a test that failed or was skipped. */
static struct host *hosts;
static pid_t hosts_of; /* the process that started them; a child of it also ends by exit(3) */

static void host_free(struct host *host)
{
    struct host **link = &hosts;
    while (*link && *link != host)
        link = &(*link)->next;
    if (*link)
        *link = host->next;
    if (host->to >= 0)
        close(host->to);
    close(host->from);
    close(host->watch);
    if (host->answers > 0)
        close(host->answers);
    remove_tree(host->scratch);
    free(host);
}

/* Kill the hosts by their pidfds. A test may have waited for a host itself, and another process may have its number. */
static void kill_hosts(void)
{
    siginfo_t info;
    while (hosts && hosts_of == getpid()) {
        if (syscall(SYS_pidfd_send_signal, hosts->watch, SIGKILL, NULL, 0) == 0)
            waitid(P_PIDFD, (id_t)hosts->watch, &info, WEXITED);
        host_free(hosts);
    }
}

static struct host *spawn(const char *program, const char *const *environment, bool shim)
{
    struct host *host = calloc(1, sizeof(*host));
    assert_non_null(host);
    snprintf(host->scratch, sizeof(host->scratch), "/tmp/hotpatch-test-XXXXXX");
    assert_non_null(mkdtemp(host->scratch));
    /* Hosts that change their uid need access to their patches. */
    assert_int_equal(chmod(host->scratch, 0755), 0);
    snprintf(host->directory, sizeof(host->directory), "%s/run", host->scratch);
    assert_int_equal(mkdir(host->directory, 0700), 0);
    for (size_t i = 0; environment && environment[i]; i++)
        if (strncmp(environment[i], "HOTPATCH_DIR=", 13) == 0)
            snprintf(host->directory, sizeof(host->directory), "%s", environment[i] + 13);
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    const char *path = program[0] == '/' ? program : built("hosts/%s", program);
    fflush(NULL);
    host->child = host->pid = fork();
    assert_true(host->pid >= 0);
    if (host->pid == 0)
        become_program(host, path, in[0], out[1], environment, shim);
    close(in[0]);
    close(out[1]);
    host->to = in[1];
    host->from = out[0];
    host->watch = (int)syscall(SYS_pidfd_open, host->pid, 0);
    assert_true(host->watch >= 0);
    if (hosts_of != getpid()) {
        hosts = NULL;
        hosts_of = getpid();
        atexit(kill_hosts);
    }
    host->next = hosts;
    hosts = host;
    return host;
}

const char *host_fifo(struct host *host)
{
    char name[32];
    snprintf(name, sizeof(name), "%d.fifo", (int)host->pid);
    return path_of(host->directory, name);
}

struct host *host_start(const char *program, const char *const *environment)
{
    struct host *host = spawn(program, environment, true);
    assert_string_equal(host_hear(host), "ready");
    await_file(host_fifo(host));
    return host;
}

struct host *host_start_unarmed(const char *program, const char *const *environment)
{
    struct host *host = spawn(program, environment, true);
    assert_string_equal(host_hear(host), "ready");
    return host;
}

struct host *host_start_bare(const char *program)
{
    struct host *host = spawn(program, NULL, false);
    assert_string_equal(host_hear(host), "ready");
    return host;
}

void host_say(struct host *host, const char *line)
{
    char text[4200];
    int length = snprintf(text, sizeof(text), "%s\n", line);
    assert_int_equal(write(host->to, text, (size_t)length), length);
}

const char *host_hear(struct host *host)
{
    char *end;
    while (!(end = memchr(host->pending, '\n', host->pending_size))) {
        assert_true(host->pending_size < sizeof(host->pending));
        await_readable(host, host->from, "line");
        ssize_t got = read(host->from, host->pending + host->pending_size,
                           sizeof(host->pending) - host->pending_size);
        if (got <= 0)
            fail_msg("the host closed its output; log:\n%s", host_log(host));
        host->pending_size += (size_t)got;
    }
    size_t length = (size_t)(end - host->pending);
    memcpy(host->line, host->pending, length);
    host->line[length] = '\0';
    host->pending_size -= length + 1;
    memmove(host->pending, end + 1, host->pending_size);
    return host->line;
}

const char *host_ask(struct host *host, const char *format, ...)
{
    char question[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(question, sizeof(question), format, arguments);
    va_end(arguments);
    host_say(host, question);
    return host_hear(host);
}

void host_expect(struct host *host, const char *question, const char *answer)
{
    const char *heard = host_ask(host, "%s", question);
    if (strcmp(heard, answer) != 0)
        fail_msg("asked \"%s\", heard \"%s\", expected \"%s\"; log:\n%s", question, heard, answer,
                 host_log(host));
}

void host_become(struct host *host, const char *how)
{
    int pid = 0;
    if (host->answers > 0)
        close(host->answers);
    host->answers = 0;
    host->pid = 0; /* the started process may end before the process that answers */
    assert_int_equal(sscanf(host_ask(host, "%s", how), "pid %d", &pid), 1);
    host->pid = pid;
    host->answers = (int)syscall(SYS_pidfd_open, pid, 0);
    ring_until_there(pid, host_fifo(host)); /* a forked child's FIFO comes with its threads */
}

bool host_alive(struct host *host)
{
    struct pollfd polled = {host->watch, POLLIN, 0};
    return poll(&polled, 1, 0) == 0;
}

const char *host_fate(struct host *host)
{
    static char fate[64];
    siginfo_t end = {0};

    if (waitid(P_PIDFD, (id_t)host->watch, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || !end.si_pid)
        snprintf(fate, sizeof(fate), "alive");
    else
        snprintf(fate, sizeof(fate), "%s %d",
                 end.si_code == CLD_EXITED ? "dead: exit status" : "dead: signal", end.si_status);
    return fate;
}

const char *host_log(struct host *host)
{
    static char *text;
    free(text);
    text = file_text(host_path(host, "stderr"));
    return text;
}

bool host_log_has(struct host *host, const char *text)
{
    return strstr(host_log(host), text) != NULL;
}

void host_log_await(struct host *host, const char *text)
{
    const char *path = host_path(host, "stderr");
    int fd = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(fd, path, IN_MODIFY) >= 0);
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    while (!host_log_has(host, text)) {
        char events[4096];
        struct pollfd polled = {fd, POLLIN, 0};
        if (poll(&polled, 1, ms_until(deadline)) == 0)
            fail_msg("the log never said \"%s\":\n%s", text, host_log(host));
        assert_true(read(fd, events, sizeof(events)) > 0);
    }
    close(fd);
}

int host_wait(struct host *host)
{
    struct pollfd polled = {host->watch, POLLIN, 0};
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    while (poll(&polled, 1, ms_until(deadline)) < 0 && errno == EINTR)
        ;
    if (!polled.revents)
        fail_msg("the host did not end; log:\n%s", host_log(host));
    int status = 0;
    assert_int_equal(waitpid(host->child, &status, 0), host->child);
    host->child = 0;
    return status;
}

static void assert_nothing_left(struct host *host)
{
    char fifo[32], json[32];
    snprintf(fifo, sizeof(fifo), "%d.fifo", (int)host->pid);
    snprintf(json, sizeof(json), "%d.json", (int)host->pid);
    if (access(path_of(host->directory, fifo), F_OK) == 0)
        fail_msg("the host left %s behind", fifo);
    if (access(path_of(host->directory, json), F_OK) == 0)
        fail_msg("the host left %s behind", json);
}

void host_stop(struct host *host)
{
    bool same = host->pid == host->child;
    close(host->to);
    host->to = -1;
    int status = host_wait(host);
    if (status != 0)
        fail_msg("the host ended with wait status 0x%x; log:\n%s", (unsigned)status,
                 host_log(host));
    if (same)
        assert_nothing_left(host);
    host_free(host);
}

void host_kill(struct host *host)
{
    if (host->child > 0) {
        kill(host->child, SIGKILL);
        /* By its pidfd: init has waited for it if it has ended, and a thread of another host may have its number. */
        if (host->pid != host->child && host->answers > 0)
            syscall(SYS_pidfd_send_signal, host->answers, SIGKILL, NULL, 0);
        host_wait(host);
    }
    host_free(host);
}
