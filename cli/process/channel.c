/* channel.c - see channel.h. */
#include "cli/process/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/listens.h"
#include "cli/process/runtime_dirs.h"

#define STATUS_FILE_MAX (64L << 20)

/* Make the stem that the names of its files can have; first the one that no other process can have. False: there is no
 * further one. */
static bool stem_next(const struct process *process, int number, char stem[STEM_SIZE])
{
    if (number == 0)
        snprintf(stem, STEM_SIZE, "%d-%llu", process->inner_pid,
                 (unsigned long long)process->pid_ns);
    else
        snprintf(stem, STEM_SIZE, "%d", process->inner_pid);
    return number < 2;
}

/* Open the FIFO for writing. Return -1 with errno: ENXIO: no process reads it. */
static int fifo_open(int dir, const struct process *process, uid_t owner, const char *stem)
{
    char name[STEM_SIZE + 8];
    struct stat st;
    int fd;

    snprintf(name, sizeof(name), "%s.fifo", stem);
    /* Opening a device could have effects; look before, and check again on the descriptor. */
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (!S_ISFIFO(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    fd = openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode) ||
        (st.st_uid != owner && st.st_uid != process->euid && st.st_uid != 0)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* Return whether the status file is this process's. It has the number that the process itself sees. */
static bool tells_of(struct json_object *status, const struct process *process)
{
    return (uint64_t)json_integer(status, "pid_ns", 0) == process->pid_ns &&
           json_integer(status, "pid", 0) == process->inner_pid &&
           (process->other_time ||
            (uint64_t)json_integer(status, "start_time", 0) == process->start_time);
}

static struct json_object *status_of(int dir, const struct process *process, const char *stem)
{
    char name[STEM_SIZE + 8];
    struct json_object *status;

    snprintf(name, sizeof(name), "%s.json", stem);
    status = json_file_read(dir, name);
    if (status && !tells_of(status, process)) {
        json_object_put(status);
        status = NULL;
    }
    return status;
}

/* Return whether the process reads the FIFO: its status file says so, which is written before the FIFO is opened; where
 * it could not be written, the process's descriptors do. */
static bool agrees(int dir, const struct process *process, const char *stem, int fifo,
                   char nonce[NONCE_LENGTH + 1])
{
    struct json_object *status = status_of(dir, process, stem);
    bool agreed = status && strlen(json_text(status, "nonce")) == NONCE_LENGTH;

    snprintf(nonce, NONCE_LENGTH + 1, "%s", agreed ? json_text(status, "nonce") : "");
    json_object_put(status);
    return agreed || process_holds(process->pid, fifo);
}

/* Open the FIFO that the process itself reads, as fifo_open(). EXDEV: another process reads it. */
static int own_fifo_open(const struct process *process, const struct dir_candidate *candidate,
                         struct channel *channel)
{
    char stem[STEM_SIZE], nonce[NONCE_LENGTH + 1];
    int error = ENOENT;

    for (int i = 0; stem_next(process, i, stem); i++) {
        int fifo = fifo_open(candidate->fd, process, candidate->owner, stem);

        if (fifo >= 0 && agrees(candidate->fd, process, stem, fifo, nonce)) {
            memcpy(channel->stem, stem, STEM_SIZE);
            memcpy(channel->nonce, nonce, sizeof(nonce));
            return fifo;
        }
        if (fifo >= 0) {
            close(fifo);
            errno = EXDEV;
        }
        if (errno != ENOENT)
            error = errno;
    }
    errno = error;
    return -1;
}

static bool channel_take(struct channel *channel, struct dir_candidate *candidate, int fifo)
{
    if (channel->dir >= 0)
        close(channel->dir);
    free(channel->path);
    channel->dir = candidate->fd;
    channel->fifo = fifo;
    channel->owner = candidate->owner;
    channel->path = format_text("%s", candidate->path);
    channel->outside = candidate->own_root;
    candidate->fd = -1;
    return fifo >= 0;
}

struct obstacles {
    char denied[PATH_MAX]; /* a directory that may not be entered */
    char planted[PATH_MAX];
    const char *distrusted;
    int error;   /* of opening a FIFO that is there */
    bool hidden; /* descriptors of the listener in a jail */
};

static bool try_candidate(const struct process *process, struct dir_candidate *candidate,
                          struct channel *channel, struct obstacles *obstacles)
{
    int fifo;

    if (candidate->fd < 0) {
        if (candidate->error == EACCES || candidate->error == EPERM)
            snprintf(obstacles->denied, sizeof(obstacles->denied), "%s", candidate->path);
        else if (candidate->error == 0 || candidate->error == ELOOP || candidate->error == ENOTDIR)
            obstacles->distrusted = candidate->why;
        return false;
    }
    fifo = own_fifo_open(process, candidate, channel);
    if (fifo >= 0)
        return channel_take(channel, candidate, fifo);
    if (errno == EINVAL)
        snprintf(obstacles->planted, sizeof(obstacles->planted), "%s/%d.fifo", candidate->path,
                 process->inner_pid);
    if (errno == EACCES)
        snprintf(obstacles->denied, sizeof(obstacles->denied), "%s", candidate->path);
    if (errno == ENXIO && obstacles->error != ENXIO) {
        obstacles->error = ENXIO;
        channel_take(channel, candidate,
                     -1); /* a FIFO without a reader marks the right directory */
    } else if (channel->dir < 0 && (candidate->owner == process->euid || geteuid() == 0)) {
        channel_take(channel, candidate, -1);
    }
    return false;
}

/* Return whether the process has made no FIFO yet and can make one here: a process that was never rung, such as a
 * forked child. Then root's directories that may not be entered are no obstacle. */
static bool has_made_none(const struct process *process, const struct channel *channel)
{
    return channel->dir >= 0 && process_waits_for_ring(process);
}

static int no_channel(const struct process *process, const struct channel *channel,
                      const struct obstacles *obstacles, struct refusal *why)
{
    bool elsewhere = has_made_none(process, channel);
    const char *name = process_name(process);

    if (process->maps_readable && !process->shim)
        return refuse(why, HP_NO_SHIM, "process %d (%s) was not started with the library",
                      process->pid, name);
    if (process_listens(process) == LISTENS_NEVER)
        return refuse(why, HP_NEVER, "process %d (%s) was started with HOTPATCH_LISTEN=never",
                      process->pid, name);
    if (obstacles->planted[0])
        return refuse(why, HP_DIRECTORY, "%s is not a FIFO of the process's user",
                      obstacles->planted);
    if (obstacles->distrusted)
        return refuse(why, HP_DIRECTORY, "%s", obstacles->distrusted);
    if (obstacles->denied[0] && !elsewhere)
        return refuse(why, HP_PERMISSION, "%s cannot be entered", obstacles->denied);
    if (obstacles->hidden || process->hidden_root)
        return refuse(why, HP_PERMISSION,
                      "process %d (%s) has changed its user, and only root can look at its root "
                      "directory and descriptors",
                      process->pid, name);
    if (process->emulated)
        return refuse(why, HP_EMULATED,
                      "process %d (%s) is an emulator, and cannot be rung: start it with "
                      "HOTPATCH_LISTEN=start",
                      process->pid, name);
    if (obstacles->error == ENXIO)
        return refuse(why, HP_NOT_LISTENING, "nobody reads the FIFO of process %d (%s)",
                      process->pid, name);
    return refuse(why, HP_NOT_LISTENING, "process %d (%s) has no FIFO in its runtime directory",
                  process->pid, name);
}

static bool take_jail(const struct process *process, struct channel *channel,
                      struct obstacles *obstacles)
{
    int result = jail_find(process, &channel->ends);

    if (result == -EACCES)
        obstacles->hidden = true;
    if (result != 0)
        return false;
    if (!process_alive(process)) { /* the pipes may belong to another process with this number */
        close(channel->ends.requests);
        close(channel->ends.replies);
        channel->ends = CHANNEL_NONE.ends;
        return false;
    }
    channel->jail = true;
    channel->fifo = channel->ends.requests;
    return true;
}

int channel_open(const struct process *process, struct channel *channel, struct refusal *why)
{
    struct obstacles *obstacles = allocate(sizeof(*obstacles));
    struct dir_candidate *list;
    size_t count;
    int status = -1;

    *channel = CHANNEL_NONE;
    if (process->foreign_root && take_jail(process, channel, obstacles)) {
        free(obstacles);
        return 0;
    }
    list = candidates_find(process, &count);
    for (size_t i = 0; i < count && status != 0; i++)
        if (try_candidate(process, &list[i], channel, obstacles))
            status = 0;
    if (status != 0)
        no_channel(process, channel, obstacles, why);
    candidates_free(list, count);
    free(obstacles);
    return status;
}

void channel_close(struct channel *channel)
{
    if (channel->fifo >= 0)
        close(channel->fifo);
    if (channel->dir >= 0)
        close(channel->dir);
    free(channel->path);
    if (channel->ends.replies >= 0)
        close(channel->ends.replies);
    *channel = CHANNEL_NONE;
}

/* Read the document. The file is replaced, never written again, so its size does not change. */
static struct json_object *json_read(int fd, size_t size)
{
    char *text = allocate(size + 1);
    struct json_object *document = NULL;
    size_t length = 0;
    ssize_t n;

    while (length < size && (n = read(fd, text + length, size - length)) > 0)
        length += (size_t)n;
    if (length == size)
        document = json_parse(text);
    free(text);
    return document;
}

struct json_object *json_file_read(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct json_object *document = NULL;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= STATUS_FILE_MAX)
        document = json_read(fd, (size_t)st.st_size);
    close(fd);
    return document;
}

struct json_object *status_file_read(int dir, const struct process *process)
{
    struct json_object *status = NULL;
    char stem[STEM_SIZE];

    for (int i = 0; !status && stem_next(process, i, stem); i++)
        status = status_of(dir, process, stem);
    return status;
}
