/* arming.c - see arming.h. */
#include "arming.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "leftovers.h"
#include "lock.h"
#include "log.h"
#include "made_here.h"
#include "rights.h"
#include "settings.h"
#include "state.h"
#include "sys.h"
#include "threads.h"

struct identity { /* compared by its bytes: no padding */
    pid_t pid;
    uid_t uid;
    uint64_t privileged;
    dev_t root_dev;
    ino_t root_ino;
};

#define REMOVAL_LIMIT_MS 100

enum removal { NOT_ASKED, ASKED, DONE };

static struct {
    _Atomic uint32_t removal; /* futex */
    struct lock files; /* creation and removal of files, against the destructor on another thread */
    bool ended;
    bool in_user_namespace;
    struct identity identity;
    struct runtime_dir dir;
    int fifo, retired;
    bool retired_misleads;
    ino_t fifo_ino;
    bool announced; /* the FIFO stands, and nobody of this process has it open */
    unsigned path;  /* which of the two below arming.dir has */
} arming STATE = {.dir.fd = -1, .fifo = -1, .retired = -1};

static char arming_problem[RUNTIME_WHY_SIZE];
static char arming_paths[2][PATH_MAX];

static struct identity identity_now(void)
{
    struct identity now = {.pid = sys_getpid(), .uid = sys_geteuid()};
    struct stat st;

    now.privileged = !arming.in_user_namespace && rights_beyond_user(now.uid);
    if (sys_fstatat(AT_FDCWD, "/", &st, 0) == 0) {
        now.root_dev = st.st_dev;
        now.root_ino = st.st_ino;
    }
    return now;
}

static void file_name(char name[NAME_MAX], pid_t pid, const char *suffix)
{
    snprintf(name, NAME_MAX, "%d.%s", (int)pid, suffix);
}

static void remove_files(const struct runtime_dir *dir, pid_t pid)
{
    char name[NAME_MAX];

    if (dir->fd < 0)
        return;
    file_name(name, pid, "fifo");
    sys_unlinkat(dir->fd, name, 0);
    file_name(name, pid, "json");
    sys_unlinkat(dir->fd, name, 0);
}

/* After a chroot or a change of user the same FIFO may still be what the new name leads to. */
static bool reached_by(const struct runtime_dir *dir, pid_t pid)
{
    char name[NAME_MAX];
    struct stat st, ours;

    file_name(name, pid, "fifo");
    return arming.fifo >= 0 && sys_fstat(arming.fifo, &ours) == 0 &&
           sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == ours.st_ino &&
           st.st_dev == ours.st_dev;
}

/* Directory and FIFO for `identity`; on failure nothing is left open. */
static bool make(const struct identity *identity, const char *configured, struct runtime_dir *dir,
                 int *fifo)
{
    struct runtime_user user = {.uid = identity->uid,
                                .privileged = identity->privileged,
                                .only_known = arming.in_user_namespace,
                                .known_dev = arming.dir.dev,
                                .known_ino = arming.dir.ino};
    char *path = arming_paths[!arming.path], name[NAME_MAX];

    if (user.only_known)
        memcpy(path, arming_paths[arming.path], PATH_MAX);
    else
        runtime_dir_choose(path, &user, configured, settings.xdg);
    if (runtime_dir_open(dir, path, &user, arming_problem) != 0)
        return false;
    file_name(name, identity->pid, "fifo");
    if (arming.announced && made_here() && arming.identity.pid == identity->pid) {
        *fifo = runtime_dir_open_fifo(dir, name, arming.fifo_ino); /* writers may wait for it */
        if (*fifo >= 0)
            return true;
        /* The program has given its directory to the user that it is now, and the FIFO is still of the old one. */
        runtime_dir_remove_fifo(dir, name, arming.fifo_ino);
    }
    if (reached_by(dir, identity->pid)) {
        *fifo = arming.fifo;
        return true;
    }
    *fifo = runtime_dir_make_fifo(dir, name, arming_problem);
    if (*fifo < 0) {
        runtime_dir_close(dir);
        return false;
    }
    arming_problem[0] = '\0';
    return true;
}

/* Where the directory that was configured is not for the present user: by the rule for that one. Who it
 * was meant for executed the program: whoever listens first may be the child of a daemon that had
 * forked before, and be another already. */
static bool make_any(const struct identity *identity, struct runtime_dir *dir, int *fifo)
{
    return make(identity, settings.directory, dir, fifo) ||
           (settings.directory[0] && identity->uid != getauxval(AT_EUID) &&
            make(identity, "", dir, fifo));
}

static void adopt(const struct identity *identity, const struct runtime_dir *dir, int fifo)
{
    struct stat st = {0};

    sys_fstat(fifo, &st);
    arming.identity = *identity;
    arming.dir = *dir;
    arming.path = !arming.path;
    arming.fifo = fifo;
    arming.fifo_ino = st.st_ino;
    arming.announced = false;
    made_here_note();
}

bool arming_start(void)
{
    struct identity now = identity_now();
    struct runtime_dir dir;
    int fifo;
    bool made = false;

    lock_take(&arming.files);
    if (!arming.ended) {
        made = make_any(&now, &dir, &fifo);
        /* A daemon's worker changes its user at once after fork(), maybe between the two lines above. */
        if (!made && sys_geteuid() != now.uid) {
            now = identity_now();
            made = make_any(&now, &dir, &fifo);
        }
        arming.identity = now;
        if (made)
            adopt(&now, &dir, fifo);
    }
    lock_give(&arming.files);
    if (!made && arming_problem[0])
        log_write(LOG_ERROR, "no FIFO: %s", arming_problem);
    return made;
}

bool arming_announce(void)
{
    bool made = arming_start();

    if (!made)
        return false;
    sys_close(arming.fifo);
    runtime_dir_close(&arming.dir);
    arming.fifo = -1;
    arming.announced = true;
    return true;
}

static bool fifo_gone(void)
{
    char name[NAME_MAX];
    struct stat st;

    if (arming.fifo < 0)
        return true;
    file_name(name, arming.identity.pid, "fifo");
    if (sys_fstatat(arming.dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    /* The directory itself may have been removed and made again under the same name. */
    if (st.st_ino != arming.fifo_ino)
        return true;
    return sys_fstatat(AT_FDCWD, arming.dir.path, &st, AT_SYMLINK_NOFOLLOW) != 0;
}

/* A name that the process may not remove any more; a new user cannot even look. */
static bool name_stays(const struct runtime_dir *dir, pid_t pid)
{
    char name[NAME_MAX];
    struct stat st;

    file_name(name, pid, "fifo");
    return sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != -ENOENT;
}

static bool arm_again(const struct identity *now)
{
    struct identity before = arming.identity;
    struct runtime_dir old = arming.dir, dir;
    int old_fifo = arming.fifo, fifo;

    if (!make_any(now, &dir, &fifo))
        return false;
    adopt(now, &dir, fifo);
    if (old.fd >= 0) {
        if (fifo != old_fifo && !reached_by(&old, before.pid))
            remove_files(&old, before.pid);
        arming.retired_misleads = fifo != old_fifo && name_stays(&old, before.pid);
        sys_close(old.fd);
    }
    if (fifo != old_fifo) {
        if (arming.retired >= 0)
            sys_close(arming.retired);
        arming.retired = old_fifo;
    }
    return true;
}

bool arming_user_changed(void)
{
    return sys_geteuid() != arming.identity.uid;
}

bool arming_check(bool doorbell)
{
    struct identity now = identity_now();
    bool changed = memcmp(&now, &arming.identity, sizeof(now)) != 0;
    bool again = false;

    if (!changed && !(doorbell && fifo_gone()))
        return false;
    lock_take(&arming.files);
    if (!arming.ended) {
        again = arm_again(&now);
        if (!again)
            log_write(LOG_ERROR, "the FIFO stays where it was: %s", arming_problem);
        arming.identity = now;
    }
    lock_give(&arming.files);
    return again;
}

void arming_stop(void)
{
    lock_take(&arming.files);
    if (arming.fifo >= 0)
        sys_close(arming.fifo);
    if (arming.retired >= 0)
        sys_close(arming.retired);
    runtime_dir_close(&arming.dir);
    arming.fifo = arming.retired = -1;
    lock_give(&arming.files);
}

int arming_retired(void)
{
    return arming.retired;
}

bool arming_retired_misleads(void)
{
    return arming.retired >= 0 && arming.retired_misleads;
}

void arming_close_retired(void)
{
    sys_close(arming.retired);
    arming.retired = -1;
}

int arming_fifo(void)
{
    return arming.fifo;
}

const struct runtime_dir *arming_dir(void)
{
    return &arming.dir;
}

bool arming_path(char *path, size_t size)
{
    bool there;

    lock_take(&arming.files);
    there = arming.fifo >= 0;
    if (there)
        snprintf(path, size, "%s/%d.fifo", arming.dir.path, (int)arming.identity.pid);
    lock_give(&arming.files);
    return there;
}

int arming_write_status(const char *text, size_t length)
{
    char name[NAME_MAX];
    int result = 0;

    lock_take(&arming.files);
    if (arming.dir.fd >= 0 && !arming.ended) {
        file_name(name, arming.identity.pid, "json");
        result = runtime_dir_replace(&arming.dir, name, text, length);
    }
    lock_give(&arming.files);
    return result;
}

/* Where a chroot has put the directory out of reach of names, the listener's descriptor still
 * leads to it. */
static void ask_listener_to_remove(void)
{
    struct timespec limit = clock_spec(clock_ms() + REMOVAL_LIMIT_MS);

    atomic_store_explicit(&arming.removal, ASKED, memory_order_release);
    if (!threads_poke())
        return;
    while (atomic_load_explicit(&arming.removal, memory_order_acquire) == ASKED)
        if (sys_futex_wait(&arming.removal, ASKED, &limit) == -ETIMEDOUT)
            return;
}

void arming_remove_if_asked(void)
{
    if (atomic_load_explicit(&arming.removal, memory_order_acquire) != ASKED)
        return;
    remove_files(&arming.dir, arming.identity.pid);
    atomic_store_explicit(&arming.removal, DONE, memory_order_release);
    sys_futex_wake(&arming.removal, 1);
}

void arming_end(void)
{
    char path[PATH_MAX + 32];
    const char *directory = NULL;
    bool reached = true;

    /* Bounded: a status file on a dead network file system must not keep a process from ending. */
    if (!lock_take_until(&arming.files, clock_ms() + 2000))
        return;
    arming.ended = true;
    /* A child that was made past fork(3) has our memory but not our files. */
    if (arming.announced && made_here()) {
        snprintf(path, sizeof(path), "%s/%d.fifo", arming.dir.path, (int)arming.identity.pid);
        sys_unlinkat(AT_FDCWD, path, 0);
    } else if (arming.fifo >= 0 && made_here()) {
        snprintf(path, sizeof(path), "%s/%d.json", arming.dir.path, (int)arming.identity.pid);
        sys_unlinkat(AT_FDCWD, path, 0);
        snprintf(path, sizeof(path), "%s/%d.fifo", arming.dir.path, (int)arming.identity.pid);
        reached = sys_unlinkat(AT_FDCWD, path, 0) != -ENOENT;
        directory = arming.dir.path;
    }
    lock_give(&arming.files);
    if (!reached && threads_self() != THREAD_LISTENER)
        ask_listener_to_remove();
    if (directory && reached)
        leftovers_remove(directory);
}

void arming_remove_left_by_exec(void)
{
    struct identity now = identity_now();
    struct runtime_user user = {.uid = now.uid, .privileged = now.privileged};
    char *directory = arming_paths[0], path[PATH_MAX + 32];
    struct stat st;
    int fd;

    runtime_dir_choose(directory, &user, settings.directory, settings.xdg);
    snprintf(path, sizeof(path), "%s/%d.fifo", directory, (int)now.pid);
    if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISFIFO(st.st_mode) ||
        st.st_uid != now.uid)
        return;
    /* A process of this number in another pid namespace may listen there. */
    fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd >= 0)
        sys_close(fd);
    if (fd != -ENXIO)
        return;
    sys_unlinkat(AT_FDCWD, path, 0);
    snprintf(path, sizeof(path), "%s/%d.json", directory, (int)now.pid);
    sys_unlinkat(AT_FDCWD, path, 0);
}

void arming_enter_user_namespace(void)
{
    arming.in_user_namespace = true;
}

void arming_reset(void)
{
    lock_reset(&arming.files);
    arming.ended = false;
    atomic_store_explicit(&arming.removal, NOT_ASKED, memory_order_relaxed);
    arming.dir.fd = -1;
    arming.fifo = arming.retired = -1;
    arming.announced = false;
    arming.identity = (struct identity){0};
}
