/*
 * sweep.c - see sweep.h.
 *
 * Each start of a program pays for the sweep: the names of one block of the directory, one kill(2) for each name, and
 * more system calls only for files that may be removed.
 */
#include "preload/sweep.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/proc_text.h"
#include "base/sys.h"
#include "preload/self.h"

#define BLOCK 1024      /* bytes of directory entries, some 30 */
#define STATUS_HEAD 512 /* bytes of a status file that hold pid_ns and start_time */
#define LOCK_TRIES 64
#define STARTS_ASKED_MAX 8 /* live processes whose start time is read */
#define PID_MAX 0x3fffffff
#define UNKNOWN_AGE 60 /* s */

/* ---- the lock ---- */

bool sweep_lock(int dir)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (sys_call3(SYS_flock, dir, LOCK_EX | LOCK_NB, 0) == 0)
            return true;
        sys_call3(SYS_sched_yield, 0, 0, 0);
    }
    return false;
}

void sweep_unlock(int dir)
{
    sys_call3(SYS_flock, dir, LOCK_UN, 0);
}

/* ---- names ---- */

struct file_name {
    pid_t pid;
    uint64_t pid_ns; /* 0: the name does not have it */
    size_t stem;     /* length of PID or PID-NSINODE */
    bool fifo;
};

/* Read a decimal number; UINT64_MAX: the number is larger. strtoul(3) would read a page of the locale. */
static uint64_t read_digits(const char **text)
{
    uint64_t number = 0;

    for (; **text >= '0' && **text <= '9'; ++*text) {
        unsigned digit = (unsigned)(**text - '0');

        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    return number;
}

/* Parse a file name. Return false if it is not the name of a process's file. */
static bool parse_name(const char *text, struct file_name *name)
{
    const char *end = text;
    uint64_t pid;

    if (*text < '1' || *text > '9' || (pid = read_digits(&end)) > PID_MAX)
        return false;
    name->pid = (pid_t)pid;
    name->pid_ns = 0;
    if (*end == '-' && end[1] >= '1' && end[1] <= '9') {
        end++;
        name->pid_ns = read_digits(&end);
    }
    name->stem = (size_t)(end - text);
    name->fifo = strcmp(end, ".fifo") == 0;
    return name->stem < 32 &&
           (name->fifo || strcmp(end, ".json") == 0 || strcmp(end, ".json.tmp") == 0);
}

static void join_name(char path[NAME_MAX], const char *text, const struct file_name *name,
                      const char *suffix)
{
    snprintf(path, NAME_MAX, "%.*s%s", (int)name->stem, text, suffix);
}

/* ---- the owner of a file ---- */

/* Return the number that the status file has for `key`; 0: none. */
static uint64_t status_number(const char *head, const char *key)
{
    const char *found = strstr(head, key);

    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

struct name_owner {
    bool here;           /* the owner is known to be of this process's pid namespace */
    bool unknown;        /* the owner's pid namespace is not known */
    uint64_t start_time; /* 0: not known */
};

static void ask_status(int dir, const char *text, const struct file_name *name,
                       struct name_owner *owner)
{
    char path[NAME_MAX], head[STATUS_HEAD];
    uint64_t pid_ns;

    join_name(path, text, name, ".json");
    sys_read_file(dir, path, head, sizeof(head));
    pid_ns = status_number(head, "\"pid_ns\":");
    owner->start_time = status_number(head, "\"start_time\":");
    owner->unknown = pid_ns == 0;
    owner->here = pid_ns != 0 && pid_ns == self_pid_ns();
}

/* Return the owner of the file that has `st`. The mark is read first, because it costs no system call. */
static struct name_owner find_owner(int dir, const char *text, const struct file_name *name,
                                    const struct stat *st, const struct maker *self)
{
    struct name_owner owner = {false, false, 0};
    struct maker maker;

    if (name->pid_ns) {
        owner.here = name->pid_ns == self_pid_ns();
        return owner;
    }
    switch (S_ISFIFO(st->st_mode) ? maker_read(st, &maker) : MARK_NONE) {
    case MARK_KNOWN:
        owner.here =
            self->proc != 0 && maker.proc == self->proc && maker.pid == (uint32_t)name->pid;
        break;
    case MARK_UNKNOWN:
        break;
    case MARK_NONE:
        ask_status(dir, text, name, &owner);
        break;
    }
    return owner;
}

static bool is_read(int dir, const char *path)
{
    int fd = sys_openat(dir, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);

    if (fd >= 0)
        sys_close(fd);
    return fd != -ENXIO;
}

/* Return whether the FIFO is old. A FIFO without a mark has no owner, or an owner that is about to mark it. */
static bool is_old(const struct stat *st)
{
    struct timespec now;

    now = clock_now(CLOCK_REALTIME);
    return now.tv_sec - st->st_ctim.tv_sec > UNKNOWN_AGE;
}

/* Return whether /proc has a process with this number. */
static bool lives_in_proc(uint32_t pid)
{
    char path[32];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%u", pid);
    return sys_fstatat(AT_FDCWD, path, &st, 0) != -ENOENT;
}

bool sweep_way_is_clear(int dir, const char *path, const struct maker *self)
{
    struct file_name name;
    struct name_owner owner;
    struct maker maker;
    struct stat st;

    if (sys_fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !parse_name(path, &name))
        return true;
    if (name.pid_ns) /* this process's namespace, by the name that the caller chose */
        return true;
    switch (maker_read(&st, &maker)) {
    case MARK_KNOWN:
        if (self->proc != 0 && maker.proc == self->proc)
            return maker.pid == self->pid || !(lives_in_proc(maker.pid) || is_read(dir, path));
        break;
    case MARK_UNKNOWN: /* this process makes such marks too where there is no /proc, also before an exec */
        if (self->proc == 0)
            return !is_read(dir, path);
        break;
    case MARK_NONE:
        break;
    }
    owner = find_owner(dir, path, &name, &st, self);
    return owner.here || (owner.unknown && is_old(&st) && !is_read(dir, path));
}

/* ---- the sweep ---- */

struct sweep {
    int dir;
    const struct maker *self;
    bool thorough;
    bool locked;
    int removed, asked;
};

/* Return the start time of the process; 0: not known. */
static uint64_t start_time_of(pid_t pid)
{
    char path[32], text[512];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (sys_read_file(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return 0;
    return proc_number(proc_stat_field(text, PROC_STAT_START_TIME), 10);
}

/* Return hundredths of a second after boot, as in /proc (USER_HZ), rounded up. */
static uint64_t ticks_of(const struct timespec *when)
{
    struct timespec real, boot;
    int64_t ms;

    real = clock_now(CLOCK_REALTIME);
    boot = clock_now(CLOCK_BOOTTIME);
    ms = (when->tv_sec - real.tv_sec + boot.tv_sec) * 1000 +
         (when->tv_nsec - real.tv_nsec + boot.tv_nsec) / 1000000;
    return ms < 0 ? 0 : (uint64_t)ms / 10 + 1;
}

/* Return whether another process has got the number since. A difference of one second is allowed, because the clock
 * may have been set. */
static bool is_another(struct sweep *sweep, pid_t pid, const struct name_owner *owner,
                       const struct stat *st)
{
    uint64_t start_time;

    if (!sweep->thorough || sweep->self->pid != (uint32_t)sys_getpid() ||
        sweep->asked++ >= STARTS_ASKED_MAX)
        return false;
    start_time = start_time_of(pid);
    if (owner->start_time)
        return start_time != 0 && start_time != owner->start_time;
    return start_time > ticks_of(&st->st_ctim) + 100;
}

static void remove_stale(struct sweep *sweep, const char *text, const struct file_name *name,
                         const char *suffix)
{
    char path[NAME_MAX];

    join_name(path, text, name, suffix);
    if (sweep->removed < SWEEP_REMOVED_MAX && sys_unlinkat(sweep->dir, path, 0) == 0)
        sweep->removed++;
}

/* Remove the files of a name if its process has ended. The FIFO is removed last: if this process is killed in
 * between, the next sweep finds the other files by the FIFO. */
static void consider_name(struct sweep *sweep, const char *text)
{
    struct file_name name;
    struct name_owner owner;
    struct stat st;
    bool gone;

    if (!parse_name(text, &name) || name.pid == sys_getpid())
        return;
    gone = sys_call3(SYS_kill, name.pid, 0, 0) == -ESRCH;
    if (!gone && !sweep->thorough)
        return;
    if (!sweep->locked && !(sweep->locked = sweep_lock(sweep->dir))) {
        sweep->removed = SWEEP_REMOVED_MAX;
        return;
    }
    if (sys_fstatat(sweep->dir, text, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    owner = find_owner(sweep->dir, text, &name, &st, sweep->self);
    if (!(owner.here || (owner.unknown && is_old(&st))) || (name.fifo && is_read(sweep->dir, text)))
        return;
    /* Check again: a new process may have got the number. */
    gone = sys_call3(SYS_kill, name.pid, 0, 0) == -ESRCH && !lives_in_proc((uint32_t)name.pid);
    if (!gone && !is_another(sweep, name.pid, &owner, &st))
        return;
    remove_stale(sweep, text, &name, ".json.tmp");
    remove_stale(sweep, text, &name, ".json");
    remove_stale(sweep, text, &name, ".fifo");
}

/* Check the entries of one block from the directory's offset. Return whether more entries may follow. */
static bool look_at_block(struct sweep *sweep)
{
    _Alignas(8) char block[BLOCK];
    ssize_t size = sys_getdents64(sweep->dir, block, sizeof(block));

    for (ssize_t at = 0; at < size && sweep->removed < SWEEP_REMOVED_MAX;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)(block + at);

        consider_name(sweep, entry->d_name);
        at += entry->d_reclen;
    }
    return size > BLOCK - (ssize_t)sizeof(struct dirent64);
}

/*
 * Seek to a random offset of the directory, so that files of live processes do not hide the others for ever. The
 * meaning of an offset depends on the file system: tmpfs counts entries or grows the offset with each, ext4 uses a
 * hash of 63 bits. The number of bits of the offset is therefore random too. From an offset after the last entry no
 * entry is read.
 */
static void seek_anywhere(int dir)
{
    uint64_t random = 0;
    unsigned narrow;

    sys_call3(SYS_getrandom, (long)&random, sizeof(random), GRND_NONBLOCK);
    narrow = random & 3 ? (random >> 2 & 63) % 60 : 0;
    sys_call3(SYS_lseek, dir, (long)(random >> 1 >> narrow), SEEK_SET);
}

void sweep_some(int dir, const struct maker *self, bool thorough)
{
    struct sweep sweep = {.dir = dir, .self = self, .thorough = thorough};

    /* In a /proc of another namespace the numbers are of other processes. A filter (seccomp(2)) that the program is
     * started under may end the process for any of these calls. */
    if (self->proc == 0 || sys_prctl(PR_GET_SECCOMP, 0, 0, 0) != 0 ||
        self->pid != (uint32_t)sys_getpid())
        return;
    if (look_at_block(&sweep) && sweep.removed < SWEEP_REMOVED_MAX) {
        seek_anywhere(dir);
        look_at_block(&sweep);
    }
    if (sweep.locked)
        sweep_unlock(dir);
}
