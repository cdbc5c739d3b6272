/*
 * stale.c - see stale.h.
 *
 * A FIFO with a reader is never touched. One without may be of a process that was not asked for anything, here
 * or in a pid namespace that this command does not see: its mark (base/maker.h) or the status file beside it
 * tells of which. A process that has executed a program without the library has left its files for ever.
 */
#include "cli/process/stale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/maker.h"
#include "cli/output/output.h"
#include "cli/process/channel.h"
#include "cli/process/runtime_dirs.h"

#define REPLY_AGE 10 /* s; a client makes its FIFO and opens it within far less */
#define COPY_AGE 60
#define FOREIGN_AGE 10

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

/* ---- whose file it is ---- */

struct stale_owner {
    pid_t pid;           /* as it sees itself */
    uint64_t pid_ns;     /* 0: not known */
    uint64_t start_time; /* 0: not known */
    uint64_t before;     /* it had started by then, in clock ticks after boot */
    bool hidden;         /* nothing says of which namespace, and it may be another */
    size_t stem;         /* length of PID or PID-NSINODE */
};

/* "123.fifo", "123-4026531836.json", "123.json.tmp" ...; false: another kind of name. */
static bool owner_by_name(const char *name, struct stale_owner *owner)
{
    char *end;
    unsigned long pid = strtoul(name, &end, 10);

    memset(owner, 0, sizeof(*owner));
    if (*name < '1' || *name > '9' || pid > 0x3fffffff)
        return false;
    owner->pid = (pid_t)pid;
    if (*end == '-' && end[1] >= '1' && end[1] <= '9')
        owner->pid_ns = strtoull(end + 1, &end, 10);
    owner->stem = (size_t)(end - name);
    return owner->stem < STEM_SIZE && (strcmp(end, ".fifo") == 0 || strcmp(end, ".json") == 0 ||
                                       strcmp(end, ".json.tmp") == 0);
}

static struct json_object *status_beside(int dir, const char *name, const struct stale_owner *owner)
{
    char path[STEM_SIZE + 8];

    snprintf(path, sizeof(path), "%.*s.json", (int)owner->stem, name);
    return json_file_read(dir, path);
}

/* Return the clock ticks after boot, with a second more: the clock may have been set. */
static uint64_t ticks_at(const struct timespec *when)
{
    int64_t seconds = when->tv_sec - start_time_epoch(0) + 2;

    return seconds > 0 ? (uint64_t)seconds * (uint64_t)sysconf(_SC_CLK_TCK) : 0;
}

static void owner_find(int dir, const char *name, const struct stat *st, uint64_t own_pid_ns,
                       struct stale_owner *owner)
{
    struct maker self = maker_self(), maker;
    enum mark mark = S_ISFIFO(st->st_mode) ? maker_read(st, &maker) : MARK_NONE;
    struct json_object *status;

    owner->before = ticks_at(&st->st_ctim);
    owner->hidden = mark != MARK_NONE;
    if (owner->pid_ns)
        return;
    if (mark == MARK_KNOWN && maker.proc == self.proc && maker.pid == (uint32_t)owner->pid)
        owner->pid_ns = own_pid_ns;
    if (mark != MARK_NONE)
        return;
    status = status_beside(dir, name, owner);
    owner->pid_ns = (uint64_t)json_integer(status, "pid_ns", 0);
    owner->start_time = (uint64_t)json_integer(status, "start_time", 0);
    json_object_put(status);
}

/* Return whether `process` may be the owner. */
static bool is_owner(const struct process *process, const struct stale_owner *owner)
{
    if (process->inner_pid != owner->pid ||
        (owner->pid_ns && process->pid_ns && process->pid_ns != owner->pid_ns))
        return false;
    if (process->other_time)
        return true;
    return owner->start_time ? process->start_time == owner->start_time
                             : process->start_time <= owner->before;
}

/* Return whether the owner lives. The process is examined again: since the list was made it may be another
 * process, or have got the library. */
static bool lives_here(const struct stale_owner *owner)
{
    struct refusal ignored = {0};
    struct process process;
    bool lives = process_open(owner->pid, &process, &ignored) == 0 &&
                 (process.shim || !process.maps_readable) && is_owner(&process, owner);

    process_close(&process);
    refusal_clear(&ignored);
    return lives;
}

static uint64_t own_pid_ns(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Inode number of the first pid namespace, PROC_PID_INIT_INO in the kernel: from it root sees all. */
#define FIRST_PID_NS 0xeffffffcu

static bool owner_lives(int dir, const char *name, struct stale_owner *owner,
                        const struct process *live, size_t count)
{
    uint64_t here = own_pid_ns();
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || has_reader(dir, name))
        return true;
    owner_find(dir, name, &st, here, owner);
    for (size_t i = 0; i < count; i++)
        if (is_owner(&live[i], owner))
            return true;
    if (owner->pid_ns ? owner->pid_ns == here : !owner->hidden)
        return lives_here(owner);
    /* Of another namespace, and started since the list was made? */
    return here != FIRST_PID_NS || geteuid() != 0 || !older_than(dir, name, FOREIGN_AGE);
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
    struct stale_owner owner;

    if (owner_by_name(name, &owner)) {
        bool lives = owner_lives(dir, name, &owner, live, live_count);

        *in_use = *in_use || lives;
        return !lives;
    }
    if (ends_in(name, ".reply"))
        return older_than(dir, name, REPLY_AGE) && !has_reader(dir, name);
    return strncmp(name, COPY_PREFIX, strlen(COPY_PREFIX)) == 0 &&
           older_than(dir, name, COPY_AGE) && command_gone(name);
}

/* A process that makes files waits for the lock before it takes a stale name (preload/sweep.h). */
size_t stale_remove(int dir, const struct process *live, size_t live_count)
{
    DIR *entries = directory_read(dir, ".");
    struct dirent *entry;
    size_t removed = 0;
    bool in_use = false;

    if (entries)
        flock(dirfd(entries), LOCK_EX);
    while (entries && (entry = readdir(entries)))
        if (is_stale(dir, entry->d_name, live, live_count, &in_use))
            removed += unlinkat(dir, entry->d_name, 0) == 0;
    if (entries)
        closedir(entries);
    return removed + objects_remove(dir, !in_use);
}
