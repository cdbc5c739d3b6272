/* jail.c - see jail.h. */
#include "preload/jail.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/filters.h"
#include "preload/jail_line.h"
#include "preload/log.h"
#include "preload/thread_role.h"

#define ANSWER_LIMIT_MS 2000
#define ANSWER_MAX 4096
#define QUESTION_MAX 3000 /* a line of at most PIPE_BUF bytes is one write */

/* The command distinguishes these pipes from pipes in the host's descriptor table by O_DIRECT (pipe(2)). */
#define PIPE_FLAGS (O_CLOEXEC | O_NONBLOCK | O_DIRECT)

enum { READ_END, WRITE_END };

static struct {
    _Atomic bool open;
    int requests[2], replies[2], socket;
    char name[JAIL_NAME_SIZE]; /* abstract name of the socket, without the leading NUL */
    bool asking;               /* a request is running whose sender can open files */
    unsigned questions;
} jail STATE = {.requests = {-1, -1}, .replies = {-1, -1}, .socket = -1};

int jail_socket(char name[JAIL_NAME_SIZE])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned size = sizeof(address);
    int one = 1, result, fd;

    if (filters_kill_sockets())
        return -EPERM;
    fd = (int)sys_call3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    /* Without a name the kernel assigns a name of five hex digits: unix(7), "Autobind feature". */
    result = (int)sys_call3(SYS_bind, fd, (long)&address, sizeof(sa_family_t));
    if (result == 0)
        result =
            (int)sys_call(SYS_setsockopt, fd, SOL_SOCKET, SO_PASSCRED, (long)&one, sizeof(one), 0);
    if (result == 0)
        result = (int)sys_call3(SYS_getsockname, fd, (long)&address, (long)&size);
    if (result != 0) {
        sys_close(fd);
        return result;
    }
    snprintf(name, JAIL_NAME_SIZE, "%.*s", (int)(size - sizeof(sa_family_t) - 1),
             address.sun_path + 1);
    return fd;
}

static void close_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        sys_close(jail.requests[i]);
        sys_close(jail.replies[i]);
    }
    sys_close(jail.socket);
    jail_reset();
}

/* Make the pipe for requests first: the command identifies it by its lower numbers. */
bool jail_open(void)
{
    int result;

    if (jail_in())
        return true;
    result = (int)sys_call3(SYS_pipe2, (long)jail.requests, PIPE_FLAGS, 0);
    if (result == 0)
        result = (int)sys_call3(SYS_pipe2, (long)jail.replies, PIPE_FLAGS, 0);
    if (result == 0)
        result = jail.socket = jail_socket(jail.name);
    if (result < 0) {
        log_write(LOG_INFO, "no pipe for requests: %s", sys_error(result));
        close_pipes();
        return false;
    }
    atomic_store_explicit(&jail.open, true, memory_order_release);
    return true;
}

bool jail_in(void)
{
    return atomic_load_explicit(&jail.open, memory_order_acquire);
}

int jail_requests(void)
{
    return jail.requests[READ_END];
}

int jail_reply(void)
{
    return (int)sys_call3(SYS_fcntl, jail.replies[WRITE_END], F_DUPFD_CLOEXEC, 0);
}

void jail_request_begin(void)
{
    jail.asking = true;
}

void jail_request_end(void)
{
    jail.asking = false;
}

bool jail_asks(void)
{
    return jail.asking;
}

void jail_reset(void)
{
    atomic_store_explicit(&jail.open, false, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        jail.requests[i] = jail.replies[i] = -1;
    jail.socket = -1;
    jail.asking = false;
}

/* ---- requests to the command ---- */

static bool wait_for_event(int fd, short events, uint64_t until)
{
    struct pollfd ready = {.fd = fd, .events = events};
    const sys_sigset blocked = ~THREAD_OPEN_SIGNALS;
    uint64_t now = clock_ms();
    struct timespec wait = clock_spec(until > now ? until - now : 0);
    int result;

    do
        result = sys_ppoll(&ready, 1, &wait, &blocked);
    while (result == -EINTR && clock_ms() < until);
    return result == 1;
}

/* Write one line for the command into the reply pipe. The leading newline ends an incomplete earlier reply. */
static bool send_question(const char *what, const char *to, unsigned number, uint64_t until)
{
    char line[PIPE_BUF] = "\n";
    struct json json = {.text = line + 1, .capacity = sizeof(line) - 2, .fixed = true};
    size_t length;
    ssize_t wrote;

    json_object_begin(&json, NULL);
    json_number(&json, "hotpatch", 1);
    json_string(&json, "need", what);
    json_unsigned(&json, "ask", number);
    json_string(&json, "to", to);
    json_object_end(&json);
    if (json.failed)
        return false;
    length = json.length + 1;
    line[length++] = '\n';
    while ((wrote = sys_write(jail.replies[WRITE_END], line, length)) == -EAGAIN)
        if (!wait_for_event(jail.replies[WRITE_END], POLLOUT, until))
            return false;
    return wrote == (ssize_t)length;
}

/* Read the descriptor from the control data. Return whether root sent it. */
static bool take_control(struct msghdr *message, int *fd)
{
    bool trusted = false;

    *fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            memcpy(fd, CMSG_DATA(c), sizeof(*fd));
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;

            memcpy(&sender, CMSG_DATA(c), sizeof(sender));
            trusted = sender.uid == 0;
        }
    }
    return trusted;
}

/* Return the descriptor of the datagram that replies to the question `number`, or -errno. */
static int take_descriptor(const struct jail_line *line, const struct msghdr *message, int fd)
{
    if (line->error == 0 && fd < 0) /* the limit of open files was reached, unix(7) */
        return message->msg_flags & MSG_CTRUNC ? -EMFILE : -ENOENT;
    if (line->error != 0 && fd >= 0)
        sys_close(fd);
    return line->error != 0 ? -line->error : fd;
}

/* Receive one datagram. Return false if there is none, or if it is not the reply to this question. */
static bool take_answer(int socket, unsigned number, int *result, char *text, size_t size)
{
    char bytes[ANSWER_MAX];
    _Alignas(
        struct cmsghdr) char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {bytes, sizeof(bytes) - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = sys_call3(SYS_recvmsg, socket, (long)&message, MSG_CMSG_CLOEXEC);
    struct jail_line line;
    int fd;

    if (got < 0)
        return false;
    bytes[got] = '\0';
    if (take_control(&message, &fd) && jail_line_parse(bytes, &line) && line.number == number) {
        snprintf(text, size, "%s", line.text);
        *result = take_descriptor(&line, &message, fd);
        return true;
    }
    if (fd >= 0)
        sys_close(fd);
    return false;
}

int jail_receive(int socket, unsigned number, char *text, size_t size)
{
    uint64_t until = clock_ms() + ANSWER_LIMIT_MS;
    int result;

    text[0] = '\0';
    while (wait_for_event(socket, POLLIN, until))
        if (take_answer(socket, number, &result, text, size))
            return result;
    return -ENOLINK;
}

unsigned jail_question(const char *what, const char *to)
{
    send_question(what, to, ++jail.questions, clock_ms() + ANSWER_LIMIT_MS);
    return jail.questions;
}

int outside_ask(const char *what, char *text, size_t size)
{
    int result;

    text[0] = '\0';
    if (thread_role() != THREAD_LISTENER || !jail.asking || strlen(what) > QUESTION_MAX)
        return -ENOLINK;
    result = jail_receive(jail.socket, jail_question(what, jail.name), text, size);
    if (result == -ENOLINK)
        jail.asking = false; /* the sender has ended, or is not the command */
    return result;
}

int outside_open(const char *path, int flags)
{
    char text[16];
    int result = sys_openat(AT_FDCWD, path, flags, 0), asked;

    if (result >= 0 || !jail_in())
        return result;
    asked = outside_ask(path, text, sizeof(text));
    return asked >= 0 ? asked : result;
}
