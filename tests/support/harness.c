/*
 * harness.c - hosts under the shim and requests to them; see harness.h.
 *
 * Runs in the test program alone.
 */
#include "tests/support/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
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
#include <time.h>
#include <unistd.h>

extern char **environ;

#define RING_AGAIN_MS 20

/* Absolute, since requests need it, and hosts and tests go elsewhere. */
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
    /* A host that has died fails the test that writes to it, not the test program. */
    signal(SIGPIPE, SIG_IGN);
}

/* ---- names ---- */

/* Strings handed to tests stay until the program ends; a test makes a few hundred at most. */
static const char *keep(const char *directory, const char *name)
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
    return keep(getenv("HOTPATCH_BUILD"), name);
}

const char *source_file(const char *name)
{
    return keep(getenv("HOTPATCH_SOURCE"), name);
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

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int until(int64_t deadline)
{
    int64_t left = deadline - now_ms();
    return left > 0 ? (int)left : 0;
}

static void await_readable(struct host *host, int fd, const char *what)
{
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {host->watch, POLLIN, 0}};
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    for (;;) {
        int ready = poll(polled, 2, until(deadline));
        if (ready < 0 && errno == EINTR)
            continue;
        if (polled[0].revents)
            return;
        if (ready == 0)
            fail_msg("no %s within %d ms; log:\n%s", what, HARNESS_TIMEOUT_MS, host_log(host));
        if (polled[1].revents && host->pid == host->child) {
            siginfo_t how = {0};

            waitid(P_PID, (id_t)host->child, &how, WEXITED | WNOWAIT | WNOHANG);
            fail_msg("the host ended (%s %d) before its %s; log:\n%s",
                     how.si_code == CLD_EXITED ? "status" : "signal", how.si_status, what,
                     host_log(host));
        }
        polled[1].fd = -1;
    }
}

/* Events of the files beside `path`; -1 where the directory cannot be read. */
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

/* False: there was none within `timeout_ms`. */
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
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    assert_true(fd >= 0);
    while (access(path, F_OK) != 0)
        if (!await_event(fd, until(deadline)))
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

/* One that is pending already would stay in the queue beside the new one. */
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

/* The process's own setting, which a test may have chosen for its host. */
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
    /* Where threads come without a ring, a ring would hide that they do not. */
    if (!listens_from_the_start(pid) && !has_shim_thread(pid) && takes(pid, doorbell))
        kill(pid, doorbell);
}

void await_read(pid_t pid)
{
    char path[64], text[8] = "";
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    while (strncmp(text, "0 ", 2) != 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_true(read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        if (until(deadline) == 0)
            fail_msg("process %d does not come to read(2)", (int)pid);
        sched_yield();
    }
}

/* A ring that finds a moment that is not safe makes no thread. */
void ring_until_there(pid_t pid, const char *path)
{
    int fd = watch_beside(path, IN_CREATE | IN_MOVED_TO);
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    assert_true(fd >= 0);
    while (access(path, F_OK) != 0 && until(deadline) > 0) {
        ring_first(pid);
        await_event(fd, RING_AGAIN_MS);
    }
    close(fd);
    await_file(path);
}

int open_when_read(pid_t pid, const char *path)
{
    int watch = watch_beside(path, IN_OPEN);
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    int fd;
    while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)) < 0 &&
           (errno == ENXIO || errno == ENOENT) && until(deadline) > 0) {
        ring_first(pid);
        await_event(watch, RING_AGAIN_MS);
    }
    int error = errno;
    close(watch);
    errno = error;
    return fd;
}

/* ---- files ---- */

struct file file_read(const char *path)
{
    struct file file = {NULL, 0};
    FILE *stream = fopen(path, "re");
    if (!stream)
        fail_msg("open %s: %s", path, strerror(errno));
    struct stat status;
    assert_int_equal(fstat(fileno(stream), &status), 0);
    size_t capacity = (size_t)status.st_size + 65536;
    file.bytes = malloc(capacity);
    assert_non_null(file.bytes);
    file.size = fread(file.bytes, 1, capacity - 1, stream);
    file.bytes[file.size] = '\0';
    fclose(stream);
    return file;
}

void file_free(struct file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

char *file_text(const char *path)
{
    return (char *)file_read(path).bytes;
}

/* By rename, as a linker's output appears: never a half-written file under the final name. */
void file_write(const char *path, const void *bytes, size_t size, mode_t mode)
{
    char temporary[PATH_MAX];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        fail_msg("create %s: %s", temporary, strerror(errno));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    assert_int_equal(rename(temporary, path), 0);
}

void copy_file(const char *from, const char *to)
{
    struct file file = file_read(from);
    file_write(to, file.bytes, file.size, 0755);
    file_free(&file);
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (unlink(name) != 0 && (errno == EISDIR || errno == EPERM))
            remove_tree(name);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

/* ---- hosts ---- */

const char *host_path(struct host *host, const char *name)
{
    return keep(host->scratch, name);
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

/* What a test that fails, or skips itself, leaves running. */
static struct host *hosts;
static pid_t hosts_of; /* the process that started them: a child of it ends by exit(3) too */

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
    remove_tree(host->scratch);
    free(host);
}

/* By their pidfd: a test that waited for one by itself may have given its number to another process. */
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
    /* Hosts that change their uid must reach their patches. */
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

static const char *fifo_of(struct host *host)
{
    char name[32];
    snprintf(name, sizeof(name), "%d.fifo", (int)host->pid);
    return keep(host->directory, name);
}

struct host *host_start(const char *program, const char *const *environment)
{
    struct host *host = spawn(program, environment, true);
    assert_string_equal(host_hear(host), "ready");
    await_file(fifo_of(host));
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
    host->pid = 0; /* the process that was started may end first */
    assert_int_equal(sscanf(host_ask(host, "%s", how), "pid %d", &pid), 1);
    host->pid = pid;
    ring_until_there(pid, fifo_of(host)); /* a forked child's comes with its threads */
}

bool host_alive(struct host *host)
{
    struct pollfd polled = {host->watch, POLLIN, 0};
    return poll(&polled, 1, 0) == 0;
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
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    while (!host_log_has(host, text)) {
        char events[4096];
        struct pollfd polled = {fd, POLLIN, 0};
        if (poll(&polled, 1, until(deadline)) == 0)
            fail_msg("the log never said \"%s\":\n%s", text, host_log(host));
        assert_true(read(fd, events, sizeof(events)) > 0);
    }
    close(fd);
}

int host_wait(struct host *host)
{
    struct pollfd polled = {host->watch, POLLIN, 0};
    int64_t deadline = now_ms() + HARNESS_TIMEOUT_MS;
    while (poll(&polled, 1, until(deadline)) < 0 && errno == EINTR)
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
    if (access(keep(host->directory, fifo), F_OK) == 0)
        fail_msg("the host left %s behind", fifo);
    if (access(keep(host->directory, json), F_OK) == 0)
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
        if (host->pid != host->child)
            kill(host->pid, SIGKILL);
        host_wait(host);
    }
    host_free(host);
}

/* ---- requests ---- */

static int open_fifo(struct host *host)
{
    const char *path = fifo_of(host);
    int fd = open_when_read(host->pid, path);
    if (fd < 0)
        fail_msg("open %s: %s; log:\n%s", path, strerror(errno), host_log(host));
    return fd;
}

void send_raw(struct host *host, const void *bytes, size_t size)
{
    int fd = open_fifo(host);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    ssize_t written = write(fd, bytes, size);
    if (written != (ssize_t)size)
        fail_msg("write to %s: %zd, %s; log:\n%s", fifo_of(host), written, strerror(errno),
                 host_log(host));
    close(fd);
}

/* Puts " reply=NAME" behind the verb of the last line. */
static size_t add_reply(char *to, size_t size, const char *line, const char *name)
{
    const char *last = strrchr(line, '\n');
    const char *verb = last ? last + 1 : line;
    size_t head = (size_t)(verb - line) + strcspn(verb, " ");
    int length = snprintf(to, size, "%.*s reply=%s%s\n", (int)head, line, name, line + head);
    assert_true(length > 0 && (size_t)length < size);
    return (size_t)length;
}

static char *await_line(struct host *host, int fd)
{
    size_t size = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    assert_non_null(text);
    for (;;) {
        await_readable(host, fd, "reply");
        if (size + 1 == capacity)
            assert_non_null(text = realloc(text, capacity *= 2));
        ssize_t got = read(fd, text + size, capacity - size - 1);
        if (got < 0 && errno == EAGAIN)
            continue;
        if (got < 0)
            fail_msg("read reply: %s", strerror(errno));
        size += (size_t)got;
        text[size] = '\0';
        if (size > 0 && text[size - 1] == '\n')
            return text;
    }
}

static struct reply *reply_read(char *text)
{
    struct reply *reply = calloc(1, sizeof(*reply));
    assert_non_null(reply);
    reply->json = json_tokener_parse(text);
    if (!reply->json)
        fail_msg("the reply is not JSON: %s", text);
    free(text);
    assert_int_equal(json_object_get_int(member(reply->json, "hotpatch")), 1);
    reply->exit_code = json_object_get_int(member(reply->json, "exit"));
    json_object *errors = member(reply->json, "errors");
    bool done = strcmp(member_text(reply->json, "result"), "done") == 0;
    snprintf(reply->code, sizeof(reply->code), "apply");
    if (done) {
        assert_int_equal(reply->exit_code, 0);
        assert_int_equal(json_object_array_length(errors), 0);
        return reply;
    }
    assert_int_not_equal(reply->exit_code, 0);
    assert_true(json_object_array_length(errors) > 0);
    json_object *first = json_object_array_get_idx(errors, 0);
    snprintf(reply->code, sizeof(reply->code), "%s", member_text(first, "code"));
    snprintf(reply->text, sizeof(reply->text), "%s", member_text(first, "text"));
    return reply;
}

static struct reply *vrequest(struct host *host, const char *format, va_list arguments)
{
    char line[8192], whole[8192], name[32];
    vsnprintf(line, sizeof(line), format, arguments);
    snprintf(name, sizeof(name), "t%u.reply", host->replies++);
    const char *path = keep(host->directory, name);
    if (mkfifo(path, 0600) != 0)
        fail_msg("mkfifo %s: %s", path, strerror(errno));
    /* The directory's owner may have changed with the host's uid. */
    struct stat owner;
    assert_int_equal(stat(host->directory, &owner), 0);
    assert_int_equal(lchown(path, owner.st_uid, owner.st_gid), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    send_raw(host, whole, add_reply(whole, sizeof(whole), line, name));
    char *text = await_line(host, fd);
    close(fd);
    unlink(path);
    return reply_read(text);
}

struct reply *request(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    return reply;
}

void reply_free(struct reply *reply)
{
    json_object_put(reply->json);
    free(reply);
}

const char *outcome(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    if (strcmp(reply->code, "apply") != 0)
        print_message("%s: %s\n", reply->code, reply->text);
    const char *code = strdup(reply->code);
    reply_free(reply);
    return code;
}

void host_listen(struct host *host)
{
    assert_string_equal(outcome(host, "ping"), "apply");
}

void must_apply(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct reply *reply = vrequest(host, format, arguments);
    va_end(arguments);
    if (strcmp(reply->code, "apply") != 0)
        fail_msg("refused: %s", json_object_to_json_string(member(reply->json, "errors")));
    reply_free(reply);
}

const char *last_refusal(struct host *host)
{
    struct reply *reply = request(host, "status");
    json_object *history = member(reply->json, "status.history");
    const char *code = NULL;
    for (size_t i = json_object_array_length(history); i-- > 0 && !code;) {
        json_object *record = json_object_array_get_idx(history, i);
        json_object *value = json_object_object_get(record, "code");
        if (value && json_object_get_string(value))
            code = strdup(json_object_get_string(value));
    }
    if (!code)
        fail_msg("no refusal in the history: %s", json_object_to_json_string(history));
    reply_free(reply);
    return code;
}

void assert_unchanged(struct host *host)
{
    host_expect(host, "answer", "1");
    host_expect(host, "pointer", "1");
    host_expect(host, "greeting", "hello");
    assert_string_equal(outcome(host, "ping"), "apply");
    assert_true(host_alive(host));
}

json_object *member(json_object *object, const char *path)
{
    char name[64];
    json_object *at = object;
    for (const char *rest = path; rest;) {
        const char *dot = strchr(rest, '.');
        snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - rest) : (int)strlen(rest), rest);
        if (!json_object_object_get_ex(at, name, &at))
            fail_msg("no %s in %s", path, json_object_to_json_string(object));
        rest = dot ? dot + 1 : NULL;
    }
    return at;
}

const char *member_text(json_object *object, const char *path)
{
    const char *text = json_object_get_string(member(object, path));
    return text ? text : "";
}

json_object *slot_named(json_object *array, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *slot = json_object_array_get_idx(array, i);
        if (strcmp(member_text(slot, "name"), name) == 0)
            return slot;
    }
    fail_msg("no slot %s in %s", name, json_object_to_json_string(array));
    return NULL;
}

/* ---- programs ---- */

static void drain(int out, int error, struct output *output)
{
    struct pollfd polled[2] = {{out, POLLIN, 0}, {error, POLLIN, 0}};
    char **texts[2] = {&output->out, &output->error};
    size_t sizes[2] = {0, 0};
    int64_t deadline = now_ms() + 4 * HARNESS_TIMEOUT_MS;
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (poll(polled, 2, until(deadline)) == 0)
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
