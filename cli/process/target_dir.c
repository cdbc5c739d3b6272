/* target_dir.c - see target_dir.h. */
#include "cli/process/target_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/listens.h"

#define CANDIDATES_MAX 16
#define STATUS_FILE_MAX (64L << 20)

/* As the process itself opens it: links above it are followed, in the process's root. What is opened is judged by its
 * owner and mode, wherever it is. */
static int directory_open(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* The runtime directory itself is no link; a slash after its name would lead through one. */
static int candidate_dir_open(int root, const char *path)
{
    char *bare = format_text("%s", path);
    int fd;

    for (size_t length = strlen(bare); length > 1 && bare[length - 1] == '/'; length--)
        bare[length - 1] = '\0';
    fd = directory_open(root, bare, O_NOFOLLOW);
    free(bare);
    return fd;
}

static void distrust(struct candidate *candidate, const char *what)
{
    snprintf(candidate->why, sizeof(candidate->why), "%.200s %s", candidate->path, what);
    candidate->error = 0;
    close(candidate->fd);
    candidate->fd = -1;
}

void candidate_open_any(struct candidate *candidate, int root)
{
    struct stat st;
    char text[96];

    candidate->fd = candidate_dir_open(root, candidate->path);
    if (candidate->fd < 0) {
        candidate->error = errno;
        snprintf(candidate->why, sizeof(candidate->why), "%.200s: %s", candidate->path,
                 candidate->error == ENOTDIR || candidate->error == ELOOP
                     ? "a link or a file is in its place"
                     : strerror(candidate->error));
        return;
    }
    if (fstat(candidate->fd, &st) != 0) {
        distrust(candidate, "cannot be examined");
        return;
    }
    candidate->owner = st.st_uid;
    candidate->mode = st.st_mode & 07777;
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        snprintf(text, sizeof(text), "has mode %04o: others can write to it", candidate->mode);
        distrust(candidate, text);
    }
}

static void candidate_open(struct candidate *candidate, int root, uid_t euid)
{
    char text[96];

    candidate_open_any(candidate, root);
    if (candidate->fd < 0 || candidate->owner == euid || candidate->owner == 0)
        return;
    snprintf(text, sizeof(text), "belongs to user %u, not to the process's user %u or root",
             candidate->owner, euid);
    distrust(candidate, text);
}

struct candidate_search {
    const struct process *process;
    struct candidate *list;
    size_t count;
    int root;      /* of the target, O_PATH; -1: not readable */
    bool own_root; /* where candidates are being added from */
};

/* `path` NULL or relative: not a candidate; freed. */
static void candidate_add(struct candidate_search *search, char *path, const char *origin)
{
    struct candidate *candidate;

    for (size_t i = 0; path && i < search->count; i++)
        if (strcmp(search->list[i].path, path) == 0 &&
            search->list[i].own_root == search->own_root) {
            free(path);
            return;
        }
    if (!path || path[0] != '/' || search->count == CANDIDATES_MAX) {
        free(path);
        return;
    }
    candidate = &search->list[search->count++];
    memset(candidate, 0, sizeof(*candidate));
    candidate->path = path;
    candidate->origin = origin;
    candidate->own_root = search->own_root;
    candidate_open(candidate, search->root, search->process->euid);
}

static char *copy_or_null(const char *text)
{
    return text ? format_text("%s", text) : NULL;
}

/* XDG_RUNTIME_DIR counts only where it is the process's user's own. */
static char *xdg_directory(struct candidate_search *search)
{
    char *xdg = process_environ(search->process, "XDG_RUNTIME_DIR");
    int fd = xdg && xdg[0] == '/' ? directory_open(search->root, xdg, 0) : -1;
    struct stat st;
    char *path = NULL;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == search->process->euid)
        path = format_text("%s/hotpatch", xdg);
    if (fd >= 0)
        close(fd);
    free(xdg);
    return path;
}

static void add_by_rule(struct candidate_search *search, uid_t euid)
{
    if (euid == 0) {
        candidate_add(search, copy_or_null("/run/hotpatch"), "the rule for root");
        return;
    }
    candidate_add(search, xdg_directory(search), "XDG_RUNTIME_DIR of the process");
    candidate_add(search, format_text("/run/user/%u/hotpatch", euid), "the rule for its user");
    candidate_add(search, format_text("/tmp/hotpatch-%u", euid), "the rule for its user");
}

static void add_all(struct candidate_search *search)
{
    candidate_add(search, copy_or_null(getenv("HOTPATCH_DIR")), "HOTPATCH_DIR of this command");
    candidate_add(search, process_environ(search->process, "HOTPATCH_DIR"),
                  "HOTPATCH_DIR of the process");
    add_by_rule(search, search->process->inner_euid);
    if (search->process->inner_euid != search->process->euid)
        add_by_rule(search, search->process->euid);
    /* Root that dropped to another user after the start may have kept its directory. */
    candidate_add(search, copy_or_null("/run/hotpatch"), "the rule for root");
}

struct candidate *candidates_find(const struct process *process, size_t *count)
{
    struct candidate_search search = {process, NULL, 0, -1, false};

    search.list = allocate(CANDIDATES_MAX * sizeof(*search.list));
    search.root = process_file_open(process->view, "root", O_PATH | O_DIRECTORY);
    if (search.root >= 0) {
        add_all(&search);
        close(search.root);
    }
    /* A process that has chrooted since its start may have its FIFO outside its new root. */
    if (search.root < 0 || process->foreign_root) {
        search.own_root = true;
        search.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        add_all(&search);
        close(search.root);
    }
    *count = search.count;
    return search.list;
}

void candidates_free(struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].fd >= 0)
            close(candidates[i].fd);
        free(candidates[i].path);
    }
    free(candidates);
}

/* Names of its files, the one that no other process can have first; false: there is no further one. */
static bool stem_next(const struct process *process, int number, char stem[STEM_SIZE])
{
    if (number == 0)
        snprintf(stem, STEM_SIZE, "%d-%llu", process->inner_pid,
                 (unsigned long long)process->pid_ns);
    else
        snprintf(stem, STEM_SIZE, "%d", process->inner_pid);
    return number < 2;
}

/* The FIFO for writing: a descriptor, or -1 with errno; ENXIO: nobody reads it. */
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

/* Is the status file this process's? What it says of the number is what the process itself sees. */
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

/* Does the process read the FIFO? By its status file, which is there before a reader; where it could not be
 * written, by what the process has open. */
static bool agrees(int dir, const struct process *process, const char *stem, int fifo,
                   char nonce[NONCE_LENGTH + 1])
{
    struct json_object *status = status_of(dir, process, stem);
    bool agreed = status && strlen(json_text(status, "nonce")) == NONCE_LENGTH;

    snprintf(nonce, NONCE_LENGTH + 1, "%s", agreed ? json_text(status, "nonce") : "");
    json_object_put(status);
    return agreed || process_holds(process->pid, fifo);
}

/* As fifo_open(), of the FIFO that the process itself reads; EXDEV: another process reads it. */
static int own_fifo_open(const struct process *process, const struct candidate *candidate,
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

static bool channel_take(struct channel *channel, struct candidate *candidate, int fifo)
{
    if (channel->dir >= 0)
        close(channel->dir);
    free(channel->path);
    channel->dir = candidate->fd;
    channel->fifo = fifo;
    channel->owner = candidate->owner;
    channel->path = copy_or_null(candidate->path);
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

static bool try_candidate(const struct process *process, struct candidate *candidate,
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

/* A process that nobody has rung, a forked child for one, may have made no FIFO yet: where it can make one, other
 * directories, of which root's may not be entered, are no obstacle. */
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
    if (!process_alive(process)) { /* they may be of another process that has got its number */
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
    struct candidate *list;
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

/* A file is replaced, never written again: its size stays. */
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
