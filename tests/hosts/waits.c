/*
 * waits.c - a program that waits in one system call again and again. If the call ends in another way than by its time
 * or its event, the program prints a word and ends. `waits CALL TIMES MS`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int epoll, sockets[2], set;
static long wait_ms;

static struct timespec span(void)
{
    return (struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000};
}

static int by_poll(void)
{
    return poll(NULL, 0, (int)wait_ms);
}

static int by_ppoll(void)
{
    struct timespec time = span();

    return ppoll(NULL, 0, &time, NULL);
}

static int by_select(void)
{
    struct timeval time = {wait_ms / 1000, wait_ms % 1000 * 1000};

    return select(0, NULL, NULL, NULL, &time);
}

static int by_pselect(void)
{
    struct timespec time = span();

    return pselect(0, NULL, NULL, NULL, &time, NULL);
}

static int by_epoll_wait(void)
{
    struct epoll_event event;

    return epoll_wait(epoll, &event, 1, (int)wait_ms);
}

static int by_epoll_pwait(void)
{
    struct epoll_event event;
    sigset_t none;

    sigemptyset(&none);
    return epoll_pwait(epoll, &event, 1, (int)wait_ms, &none);
}

static int by_nanosleep(void)
{
    struct timespec time = span();

    return nanosleep(&time, NULL);
}

static int by_clock_nanosleep(void)
{
    struct timespec time = span();

    return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) ? -1 : 0;
}

static int by_absolute_nanosleep(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += wait_ms % 1000 * 1000000;
    time.tv_sec += wait_ms / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) ? -1 : 0;
}

static int by_usleep(void)
{
    return usleep((useconds_t)wait_ms * 1000);
}

static int by_sigtimedwait(void)
{
    struct timespec time = span();
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    return sigtimedwait(&one, NULL, &time) == -1 && errno == EAGAIN ? 0 : -1;
}

static int by_semtimedop(void)
{
    struct sembuf down = {0, -1, 0};
    struct timespec time = span();

    return semtimedop(set, &down, 1, &time) == -1 && errno == EAGAIN ? 0 : -1;
}

static int by_recv_timeout(void)
{
    char byte;

    return recv(sockets[0], &byte, 1, 0) == -1 && errno == EAGAIN ? 0 : -1;
}

static int by_futex(void)
{
    static uint32_t word;
    struct timespec time = span();

    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0) == -1 && errno == ETIMEDOUT
               ? 0
               : -1;
}

static int by_sem_timedwait(void)
{
    static sem_t semaphore;
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += wait_ms % 1000 * 1000000;
    time.tv_sec += wait_ms / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return sem_timedwait(&semaphore, &time) == -1 && errno == ETIMEDOUT ? 0 : -1;
}

static int by_sleep(void)
{
    return sleep(1) == 0 ? 0 : -1;
}

static struct timespec at_end(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += wait_ms % 1000 * 1000000;
    time.tv_sec += wait_ms / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static int by_cond_timedwait(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec time = at_end(CLOCK_REALTIME);
    int error;

    pthread_mutex_lock(&mutex);
    error = pthread_cond_timedwait(&condition, &mutex, &time);
    pthread_mutex_unlock(&mutex);
    return error == ETIMEDOUT ? 0 : -1;
}

static int by_epoll_pwait2(void)
{
    struct epoll_event event;
    struct timespec time = span();

    return epoll_pwait2(epoll, &event, 1, &time, NULL);
}

/* Pass numbers through syscall(3). */
static int by_raw_select(void)
{
    struct timeval time = {wait_ms / 1000, wait_ms % 1000 * 1000};

    return (int)syscall(SYS_select, 0, NULL, NULL, NULL, &time);
}

static int by_syscall_poll(void)
{
    return (int)syscall(SYS_poll, NULL, 0, wait_ms);
}

static int by_syscall_epoll_wait(void)
{
    struct epoll_event event;

    return (int)syscall(SYS_epoll_wait, epoll, &event, 1, wait_ms);
}

static int by_io_getevents(void)
{
    struct timespec time = span();
    aio_context_t context = 0;
    struct io_event event;

    if (syscall(SYS_io_setup, 1, &context) != 0)
        return -1;
    return (int)syscall(SYS_io_getevents, context, 1, 1, &event, &time);
}

/* Make a child that calls the function after the time. */
static pid_t after_time(void (*function)(void))
{
    pid_t child = fork();

    if (child == 0) {
        by_nanosleep();
        function();
        _exit(0);
    }
    return child;
}

struct letter {
    long type;
    char text[1];
};

static int queue = -1;

static void send_letter(void)
{
    struct letter letter = {1, "x"};

    msgsnd(queue, &letter, 1, 0);
}

static int by_msgrcv(void)
{
    struct letter letter = {0, ""};
    int result;

    queue = msgget(IPC_PRIVATE, 0600);
    after_time(send_letter);
    result = msgrcv(queue, &letter, 1, 0, 0) == 1 && letter.text[0] == 'x' ? 0 : -1;
    msgctl(queue, IPC_RMID, NULL);
    return result;
}

static struct sockaddr_in address = {.sin_family = AF_INET};

static void connect_to(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        _exit(1);
}

static int listening(int backlog)
{
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    return fd;
}

static int by_accept(void)
{
    int fd = listening(1), result;

    after_time(connect_to);
    result = accept(fd, NULL, NULL);
    return result >= 0 ? 0 : -1;
}

/* The queue of the socket is full until accept(2) is called. */
static int server = -1;

static void accept_one(void)
{
    close(accept(server, NULL, NULL));
}

static int by_connect(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0), result;
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    server = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "waits-%d", (int)getpid());
    if (bind(server, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(server, 0) != 0 ||
        connect(other, (struct sockaddr *)&name, sizeof(name)) != 0)
        return -1;
    after_time(accept_one);
    result = connect(fd, (struct sockaddr *)&name, sizeof(name));
    return result;
}

static int by_flock(void)
{
    int fd = memfd_create("lock", 0), go[2], result;
    char path[64], byte;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (pipe(go) != 0)
        return -1;
    if (fork() == 0) {
        int own = open(path, O_RDWR);

        flock(own, LOCK_EX);
        if (write(go[1], "x", 1) != 1)
            _exit(1);
        by_nanosleep();
        _exit(0);
    }
    if (read(go[0], &byte, 1) != 1)
        return -1;
    result = flock(fd, LOCK_EX);
    return result;
}

static int by_waitpid(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        by_nanosleep();
        _exit(7);
    }
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 ? 0 : -1;
}

static int by_read(void)
{
    int ends[2];
    char byte = 0;
    pid_t child;

    if (pipe(ends) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        by_nanosleep();
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    if (read(ends[0], &byte, 1) != 1 || byte != 'x')
        return -1;
    close(ends[0]);
    close(ends[1]);
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static const struct {
    const char *name;
    int (*wait)(void);
} calls[] = {
    {"poll", by_poll},
    {"ppoll", by_ppoll},
    {"select", by_select},
    {"pselect", by_pselect},
    {"epoll_wait", by_epoll_wait},
    {"epoll_pwait", by_epoll_pwait},
    {"nanosleep", by_nanosleep},
    {"clock_nanosleep", by_clock_nanosleep},
    {"absolute", by_absolute_nanosleep},
    {"usleep", by_usleep},
    {"sigtimedwait", by_sigtimedwait},
    {"semtimedop", by_semtimedop},
    {"recv", by_recv_timeout},
    {"futex", by_futex},
    {"sem_timedwait", by_sem_timedwait},
    {"waitpid", by_waitpid},
    {"read", by_read},
    {"sleep", by_sleep},
    {"cond_timedwait", by_cond_timedwait},
    {"epoll_pwait2", by_epoll_pwait2},
    {"raw_select", by_raw_select},
    {"syscall_poll", by_syscall_poll},
    {"syscall_epoll_wait", by_syscall_epoll_wait},
    {"io_getevents", by_io_getevents},
    {"msgrcv", by_msgrcv},
    {"accept", by_accept},
    {"connect", by_connect},
    {"flock", by_flock},
};

static void prepare(void)
{
    struct timeval time = {wait_ms / 1000, wait_ms % 1000 * 1000};

    epoll = epoll_create1(0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
    setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    set = semget(IPC_PRIVATE, 1, 0600);
}

int main(int argc, char **argv)
{
    int (*wait)(void) = NULL;
    struct timespec from, to;

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (argc == 4 && strcmp(argv[1], calls[i].name) == 0)
            wait = calls[i].wait;
    if (!wait)
        return 2;
    wait_ms = atol(argv[3]);
    prepare();
    printf("ready\n");
    fflush(stdout);
    for (int i = 0; i < atoi(argv[2]); i++) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        errno = 0;
        if (wait() != 0) {
            printf("%s: ended with %s\n", argv[1], strerror(errno));
            semctl(set, 0, IPC_RMID);
            return 1;
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        if ((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 <
            wait_ms - 1) {
            printf("%s: ended early\n", argv[1]);
            semctl(set, 0, IPC_RMID);
            return 1;
        }
    }
    semctl(set, 0, IPC_RMID);
    printf("done\n");
    return 0;
}
