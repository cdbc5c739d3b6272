/* jail_ends.c - see jail_ends.h. Fields are those of proc(5). */
#include "cli/process/jail_ends.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/output/output.h"

#define ENDS_MAX 16 /* of pipes in one table; a listener has four */
#define DRAIN_MAX (1 << 20)

/* Flags of the listener's pipes, which other pipes hardly have. The end for writing alone keeps O_DIRECT. */
enum { MARK = O_DIRECT | O_NONBLOCK };

struct end {
    int number;
    ino_t inode;
    int access; /* O_RDONLY or O_WRONLY */
};

struct end_search {
    pid_t pid;
    struct jail_ends *ends;
    int error;
    dev_t pipes; /* the device of every pipe */
};

static char *fd_path(pid_t pid, pid_t tid, const char *folder, int number)
{
    return format_text("/proc/%d/task/%d/%s/%d", pid, tid, folder, number);
}

/* Return the flags of open(2) by fdinfo; 0: they cannot be read. */
static int flags_of(pid_t pid, pid_t tid, int number)
{
    char *path = fd_path(pid, tid, "fdinfo", number), *text = read_small_file(path, NULL);
    const char *line = text ? strstr(text, "flags:") : NULL;
    int flags = line ? (int)strtol(line + strlen("flags:"), NULL, 8) : 0;

    free(text);
    free(path);
    return flags;
}

static bool read_end(pid_t pid, pid_t tid, int number, struct end *end)
{
    char *path = fd_path(pid, tid, "fd", number), target[64];
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    unsigned long long inode = 0;
    int flags;

    free(path);
    if (length <= 0)
        return false;
    target[length] = 0;
    if (sscanf(target, "pipe:[%llu]", &inode) != 1)
        return false;
    flags = flags_of(pid, tid, number);
    *end = (struct end){number, (ino_t)inode, flags & O_ACCMODE};
    return (flags & MARK) == (end->access == O_WRONLY ? MARK : O_NONBLOCK);
}

static int by_number(const void *a, const void *b)
{
    return ((const struct end *)a)->number - ((const struct end *)b)->number;
}

/* List the marked ends in a thread's table, by number. Return their count, or -errno: the table cannot be read. */
static int list_ends(pid_t pid, pid_t tid, struct end ends[ENDS_MAX])
{
    char *path = format_text("/proc/%d/task/%d/fd", pid, tid);
    DIR *table = opendir(path);
    struct dirent *entry;
    int count = 0, error = errno;

    free(path);
    if (!table)
        return -error;
    while (count < ENDS_MAX && (entry = readdir(table)))
        if (*entry->d_name != '.' && read_end(pid, tid, atoi(entry->d_name), &ends[count]))
            count++;
    closedir(table);
    qsort(ends, (size_t)count, sizeof(*ends), by_number);
    return count;
}

static const struct end *other_end(const struct end *ends, int count, const struct end *of)
{
    for (int i = 0; i < count; i++)
        if (ends[i].inode == of->inode && ends[i].access != of->access)
            return &ends[i];
    return NULL;
}

/* Return the end of the `which`-th pipe that was opened for `access`, among the pipes with both ends here. */
static const struct end *nth_pipe(const struct end *ends, int count, int which, int access)
{
    for (int i = 0; i < count; i++) {
        const struct end *other = other_end(ends, count, &ends[i]);

        if (!other || other->number < ends[i].number)
            continue; /* counted at its lower end */
        if (which-- == 0)
            return ends[i].access == access ? &ends[i] : other;
    }
    return NULL;
}

/* Open the pipe `end`. The number may lead to another file by now: device and inode are compared. */
static int open_end(const struct end_search *search, pid_t tid, const struct end *end, int access)
{
    char *path = fd_path(search->pid, tid, "fd", end->number), *again;
    int found = open(path, O_PATH | O_CLOEXEC), fd = -1;
    struct stat st;

    free(path);
    if (found < 0)
        return -errno;
    if (fstat(found, &st) != 0 || !S_ISFIFO(st.st_mode) || st.st_dev != search->pipes ||
        st.st_ino != end->inode) {
        close(found);
        return -ENOENT;
    }
    again = format_text("/proc/self/fd/%d", found);
    fd = open(again, access | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    free(again);
    close(found);
    return fd;
}

/* Return whether the thread has a table of its own. The worker has the program's, whose pipes are the program's. */
static bool has_own_table(pid_t pid, pid_t tid)
{
    return syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) != 0;
}

static int find_ends_of(pid_t tid, void *context)
{
    struct end_search *search = context;
    struct end ends[ENDS_MAX];
    const struct end *requests, *replies;
    int count = list_ends(search->pid, tid, ends);

    if (count == -EACCES || count == -EPERM)
        search->error = -EACCES;
    requests = nth_pipe(ends, count, 0, O_WRONLY);
    replies = nth_pipe(ends, count, 1, O_RDONLY);
    if (!requests || !replies || !has_own_table(search->pid, tid))
        return 0;
    search->ends->requests = open_end(search, tid, requests, O_WRONLY);
    if (search->ends->requests < 0) {
        search->error = search->ends->requests;
        return 0;
    }
    search->ends->replies = open_end(search, tid, replies, O_RDONLY);
    if (search->ends->replies < 0) {
        search->error = search->ends->replies;
        close(search->ends->requests);
        return 0;
    }
    search->ends->thread = tid;
    return 1;
}

static dev_t device_of_pipes(void)
{
    struct stat st = {0};
    int own[2];

    if (pipe2(own, O_CLOEXEC) != 0)
        return 0;
    fstat(own[0], &st);
    close(own[0]);
    close(own[1]);
    return st.st_dev;
}

int jail_find(const struct process *process, struct jail_ends *ends)
{
    struct end_search search = {process->pid, ends, -ENOENT, device_of_pipes()};

    *ends = (struct jail_ends){-1, -1, 0};
    return process_shim_threads(process->pid, find_ends_of, &search) ? 0 : search.error;
}

bool jail_lock(const struct jail_ends *ends)
{
    return flock(ends->replies, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

void jail_drain(const struct jail_ends *ends)
{
    char bytes[4096];
    ssize_t n, all = 0;

    while (all < DRAIN_MAX && (n = read(ends->replies, bytes, sizeof(bytes))) > 0)
        all += n;
}
