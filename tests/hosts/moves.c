/*
 * moves.c - a program that moves many bytes by one system call. If it has moved fewer or other bytes, it prints a word
 * and ends. `moves CALL`: writes `ready`, then `done`.
 *
 * A child is at the other end. The child takes or gives a part at a time, with pauses between the parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE 1200000
#define PART 20000
#define LARGE (48l << 20)

static unsigned char bytes[SIZE];
static int ends[2]; /* the child's end, and this program's end */

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 7 % 251);
}

static void pause_a_little(void)
{
    struct timespec time = {0, 1000000};

    nanosleep(&time, NULL);
}

/* Return the child's exit status. */
static int take_all(void)
{
    static unsigned char part[PART];
    size_t taken = 0;
    ssize_t got;

    while ((got = read(ends[0], part, PART)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            if (part[i] != byte_at(taken++))
                return 1;
        pause_a_little();
    }
    return taken == SIZE ? 0 : 2;
}

static int give_all(void)
{
    for (size_t at = 0; at < SIZE; at += PART) {
        if (write(ends[0], bytes + at, PART) != PART)
            return 1;
        pause_a_little();
    }
    return 0;
}

static pid_t other_end(int (*function)(void))
{
    pid_t child = fork();

    if (child == 0) {
        close(ends[1]);
        _exit(function());
    }
    close(ends[0]);
    return child;
}

static void use_pipe(void)
{
    if (pipe(ends) != 0)
        _exit(2);
}

static void use_sockets(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        _exit(2);
}

static void split(struct iovec parts[3])
{
    parts[0] = (struct iovec){bytes, 100001};
    parts[1] = (struct iovec){bytes + 100001, 7};
    parts[2] = (struct iovec){bytes + 100008, SIZE - 100008};
}

static ssize_t by_write(void)
{
    return write(ends[1], bytes, SIZE);
}

static ssize_t by_syscall(void)
{
    return syscall(SYS_write, ends[1], bytes, (size_t)SIZE);
}

static ssize_t by_writev(void)
{
    struct iovec parts[3];

    split(parts);
    return writev(ends[1], parts, 3);
}

static ssize_t by_send(void)
{
    return send(ends[1], bytes, SIZE, 0);
}

static ssize_t by_sendmsg(void)
{
    struct iovec parts[3];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};

    split(parts);
    return sendmsg(ends[1], &message, 0);
}

static ssize_t by_sendfile(void)
{
    int file = memfd_create("bytes", 0);
    off_t from = 0;

    if (write(file, bytes, SIZE) != SIZE)
        return -1;
    return sendfile(ends[1], file, &from, SIZE);
}

static ssize_t by_recv(void)
{
    ssize_t got = recv(ends[1], bytes, SIZE, MSG_WAITALL);

    for (ssize_t i = 0; i < got; i++)
        if (bytes[i] != byte_at((size_t)i))
            return -2;
    return got;
}

static ssize_t into_memory(ssize_t (*function)(void *memory))
{
    void *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ssize_t got = function(memory);

    return got == LARGE ? SIZE : got;
}

static ssize_t fill_by_getrandom(void *memory)
{
    return getrandom(memory, LARGE, 0);
}

static ssize_t fill_from_urandom(void *memory)
{
    return read(open("/dev/urandom", O_RDONLY), memory, LARGE);
}

static ssize_t fill_from_zero(void *memory)
{
    return read(open("/dev/zero", O_RDONLY), memory, LARGE);
}

static ssize_t by_getrandom(void)
{
    return into_memory(fill_by_getrandom);
}

static ssize_t by_urandom(void)
{
    return into_memory(fill_from_urandom);
}

static ssize_t by_zero(void)
{
    return into_memory(fill_from_zero);
}

static const struct {
    const char *name;
    void (*use)(void);
    int (*other)(void);
    ssize_t (*move)(void);
} calls[] = {
    {"write", use_pipe, take_all, by_write},
    {"syscall", use_pipe, take_all, by_syscall},
    {"writev", use_pipe, take_all, by_writev},
    {"send", use_sockets, take_all, by_send},
    {"sendmsg", use_sockets, take_all, by_sendmsg},
    {"sendfile", use_sockets, take_all, by_sendfile},
    {"recv", use_sockets, give_all, by_recv},
    {"getrandom", NULL, NULL, by_getrandom},
    {"urandom", NULL, NULL, by_urandom},
    {"zero", NULL, NULL, by_zero},
};

static int move(size_t call)
{
    pid_t child = 0;
    ssize_t moved;
    int status = 0;

    if (calls[call].use) {
        calls[call].use();
        child = other_end(calls[call].other);
    }
    moved = calls[call].move();
    if (moved != SIZE) {
        printf("%s: %zd: %s\n", calls[call].name, moved, strerror(errno));
        return 1;
    }
    close(ends[1]);
    if (child && (waitpid(child, &status, 0) != child || status != 0)) {
        printf("%s: the other end: 0x%x\n", calls[call].name, (unsigned)status);
        return 1;
    }
    printf("done\n");
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = byte_at(i);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (argc == 2 && strcmp(argv[1], calls[i].name) == 0) {
            if (write(1, "ready\n", 6) != 6)
                return 2;
            return move(i);
        }
    return 2;
}
