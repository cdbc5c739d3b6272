/*
 * stale.c - see stale.h.
 *
 * A FIFO with a reader is never touched, nor what belongs to its PID: the reader may be in
 * another PID namespace, where this command sees no such process.
 */
#include "stale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "handover.h"
#include "output.h"
#include "target_dir.h"

#define REPLY_AGE 10 /* s; a client makes its FIFO and opens it within far less */
#define COPY_AGE 60

static bool has_reader(int dir, const char *name)
{
    struct stat st;
    int fd;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISFIFO(st.st_mode))
        return false;
    fd = openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno != ENXIO;
}

static bool older_than(int dir, const char *name, time_t seconds)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && time(NULL) - st.st_mtime > seconds;
}

static bool is_injected(pid_t inner, const struct process *live, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (live[i].inner_pid == inner)
            return true;
    return false;
}

/* The process that PID.json tells of still runs. */
static bool status_fits(int dir, pid_t pid)
{
    uint64_t start_time = process_start_time(pid);
    struct json_object *status;
    char name[32];
    bool fits;

    snprintf(name, sizeof(name), "%d.json", pid);
    status = start_time ? json_file_read(dir, name) : NULL;
    fits = status && (uint64_t)json_integer(status, "start_time", 0) == start_time;
    json_object_put(status);
    return fits;
}

static bool owner_lives(int dir, pid_t pid, const struct process *live, size_t count)
{
    char fifo[32];

    snprintf(fifo, sizeof(fifo), "%d.fifo", pid);
    return has_reader(dir, fifo) || is_injected(pid, live, count) || status_fits(dir, pid);
}

/* The PID of "123.fifo", "123.json" or "123.json.tmp"; 0: another kind of name. */
static pid_t pid_of_file(const char *name)
{
    char *end;
    unsigned long pid = strtoul(name, &end, 10);

    if (end == name || *name < '1' || *name > '9' || pid > 0x3fffffff)
        return 0;
    if (strcmp(end, ".fifo") == 0 || strcmp(end, ".json") == 0 || strcmp(end, ".json.tmp") == 0)
        return (pid_t)pid;
    return 0;
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);

    return length > end_length && strcmp(name + length - end_length, end) == 0;
}

static DIR *directory_read(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;

    if (!entries && fd >= 0)
        close(fd);
    return entries;
}

static bool command_gone(const char *copy)
{
    int pid = 0;

    return sscanf(copy, COPY_PREFIX "c%d-", &pid) == 1 && process_start_time(pid) == 0;
}

static size_t objects_remove(int dir, bool all)
{
    DIR *entries = directory_read(dir, "objects");
    struct dirent *entry;
    size_t removed = 0;

    while (entries && (entry = readdir(entries))) {
        const char *name = entry->d_name;
        bool copy = strncmp(name, COPY_PREFIX, strlen(COPY_PREFIX)) == 0;

        if (older_than(dirfd(entries), name, COPY_AGE) &&
            (copy ? command_gone(name) : all && (ends_in(name, ".so") || ends_in(name, ".part"))))
            removed += unlinkat(dirfd(entries), name, 0) == 0;
    }
    if (entries)
        closedir(entries);
    return removed;
}

static bool is_stale(int dir, const char *name, const struct process *live, size_t live_count,
                     bool *in_use)
{
    pid_t pid = pid_of_file(name);

    if (pid && owner_lives(dir, pid, live, live_count)) {
        *in_use = true;
        return false;
    }
    if (pid)
        return true;
    if (ends_in(name, ".reply"))
        return older_than(dir, name, REPLY_AGE) && !has_reader(dir, name);
    return strncmp(name, COPY_PREFIX, strlen(COPY_PREFIX)) == 0 &&
           older_than(dir, name, COPY_AGE) && command_gone(name);
}

size_t stale_remove(int dir, const struct process *live, size_t live_count)
{
    DIR *entries = directory_read(dir, ".");
    struct dirent *entry;
    size_t removed = 0;
    bool in_use = false;

    while (entries && (entry = readdir(entries)))
        if (is_stale(dir, entry->d_name, live, live_count, &in_use))
            removed += unlinkat(dir, entry->d_name, 0) == 0;
    if (entries)
        closedir(entries);
    return removed + objects_remove(dir, !in_use);
}
