/* arming.c - see arming.h. */
#include "preload/arming.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/lock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/filters.h"
#include "preload/jail.h"
#include "preload/leftovers.h"
#include "preload/log.h"
#include "preload/made_here.h"
#include "preload/plain_text.h"
#include "preload/rights.h"
#include "preload/self.h"
#include "preload/settings.h"
#include "preload/sweep.h"
#include "preload/threads.h"

struct identity { /* compared by its bytes: no padding */
    pid_t pid;
    uid_t uid;
    uint64_t privileged;
    dev_t root_dev;
    ino_t root_ino;
};

#define REMOVAL_LIMIT_MS 100
#define STEM_SIZE 40
#define SHORT_PATH 128

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
    char stem[STEM_SIZE]; /* of its files: PID, or PID-NSINODE */
    bool copied;          /* patches were applied in the constructor */
    bool read_only;       /* the file system where the FIFO was to be made last */
    bool announced;       /* the FIFO stands, and nobody of this process has it open */
    bool written;         /* the status file */
    bool shut_out;        /* this user, or a limit, keeps the process out of the directory */
    unsigned path;        /* which of the two below arming.dir has */
    dev_t start_root_dev; /* the root directory that the program was started in */
    ino_t start_root_ino;
} arming STATE = {.dir.fd = -1, .fifo = -1, .retired = -1};

static char arming_problem[RUNTIME_WHY_SIZE] STATE;
/* Of the two directories each: an ordinary path makes no further page dirty. */
static char short_paths[2][SHORT_PATH] STATE;
static char long_paths[2][PATH_MAX];

static const char *keep_path(const char *path, unsigned which)
{
    size_t size = strlen(path) + 1;

    return memcpy(size <= SHORT_PATH ? short_paths[which] : long_paths[which], path, size);
}

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

static void note_start_root(const struct identity *now)
{
    if (arming.start_root_ino != 0)
        return;
    arming.start_root_dev = now->root_dev;
    arming.start_root_ino = now->root_ino;
}

/* Nothing of what the program was started with may be there: no runtime directory, no library. */
static bool in_foreign_root(const struct identity *now)
{
    return now->root_dev != arming.start_root_dev || now->root_ino != arming.start_root_ino;
}

static bool open_jail(const struct identity *now)
{
    return in_foreign_root(now) && jail_open();
}

static void file_name(char name[NAME_MAX], const char *stem, const char *suffix)
{
    const char *end = name + NAME_MAX;

    text_add(text_add(text_add(name, end, stem), end, "."), end, suffix);
}

static void remove_files(const struct runtime_dir *dir, const char *stem)
{
    char name[NAME_MAX];

    if (dir->fd < 0)
        return;
    file_name(name, stem, "json");
    sys_unlinkat(dir->fd, name, 0);
    file_name(name, stem, "fifo");
    sys_unlinkat(dir->fd, name, 0);
}

/* Where a process is reached. */
struct place {
    struct runtime_dir dir;
    char stem[STEM_SIZE];
    ino_t ino;          /* of the FIFO */
    struct maker maker; /* this process */
};

static bool leads_to(const struct runtime_dir *dir, const char *stem, ino_t ino)
{
    char name[NAME_MAX];
    struct stat st;

    file_name(name, stem, "fifo");
    return sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(st.st_mode) &&
           st.st_ino == ino;
}

static bool same_directory(const struct runtime_dir *a, const struct runtime_dir *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

/* The FIFO that this process has made stays, where it is what the directory leads to: writers may wait for
 * it. So it may be after a chroot or a change of user too. */
static bool keep_fifo(const struct identity *identity, struct place *place)
{
    if ((!arming.announced && arming.fifo < 0) || !made_here() ||
        arming.identity.pid != identity->pid || !same_directory(&place->dir, &arming.dir) ||
        !leads_to(&place->dir, arming.stem, arming.fifo_ino))
        return false;
    if (arming.announced && arming.identity.uid != identity->uid && identity->uid != 0) {
        /* Not open, and the old user's: the directory is the new user's, which may not open it. */
        remove_files(&place->dir, arming.stem);
        return false;
    }
    memcpy(place->stem, arming.stem, STEM_SIZE);
    place->ino = arming.fifo_ino;
    return true;
}

static int make_named(struct place *place)
{
    char name[NAME_MAX];
    int result;

    file_name(name, place->stem, "fifo");
    result = runtime_dir_make_fifo(&place->dir, name, &place->maker, &place->ino, arming_problem);
    arming.read_only = result == -EROFS;
    return result;
}

/* PID.fifo, unless a process of another pid namespace has it: two names of one namespace differ in PID. */
static bool make_fifo(const struct identity *identity, struct place *place)
{
    const char *end = place->stem + STEM_SIZE;
    char *at = text_add_number(place->stem, end, (uint64_t)identity->pid);
    int result = make_named(place);

    if (result != -EBUSY || self_pid_ns() == 0)
        return result == 0;
    text_add_number(text_add(at, end, "-"), end, self_pid_ns());
    return make_named(place) == 0;
}

/* Directory and FIFO for `identity`; on failure nothing is left open. */
static bool make(const struct identity *identity, const char *configured, struct place *place)
{
    struct runtime_user user = {.uid = identity->uid,
                                .privileged = identity->privileged,
                                .only_known = arming.in_user_namespace,
                                .known_dev = arming.dir.dev,
                                .known_ino = arming.dir.ino};
    char path[PATH_MAX] = "";
    int result;

    if (!user.only_known)
        runtime_dir_choose(path, &user, configured, settings.xdg);
    else if (arming.dir.path)
        memcpy(path, arming.dir.path, strlen(arming.dir.path) + 1);
    result = runtime_dir_open(&place->dir, keep_path(path, !arming.path), &user, arming_problem);
    arming.read_only = result == -EROFS;
    arming.shut_out = result == -EACCES || result == -EMFILE;
    if (result != 0)
        return false;
    place->maker = maker_self();
    if (!keep_fifo(identity, place) && !make_fifo(identity, place)) {
        runtime_dir_close(&place->dir);
        return false;
    }
    arming_problem[0] = '\0';
    return true;
}

/* Where the directory that was configured is not for the present user: by the rule for that one. Who it
 * was meant for executed the program: whoever listens first may be the child of a daemon that had
 * forked before, and be another already. */
static bool make_any(const struct identity *identity, struct place *place)
{
    return make(identity, settings.directory, place) ||
           (settings.directory[0] && identity->uid != getauxval(AT_EUID) &&
            make(identity, "", place));
}

static void adopt(const struct identity *identity, const struct place *place, int fifo)
{
    if (place->ino != arming.fifo_ino || !same_directory(&place->dir, &arming.dir))
        arming.written = false;
    arming.identity = *identity;
    arming.dir = place->dir;
    arming.path = !arming.path;
    memcpy(arming.stem, place->stem, STEM_SIZE);
    arming.fifo = fifo;
    arming.fifo_ino = place->ino;
    arming.announced = fifo < 0;
    made_here_note();
}

/* In a jail, under an inherited filter, or where nothing can be written, nobody has asked to hear of it; nor of
 * being shut out before somebody has rung. */
static enum log_level level_of_failure(bool jailed, bool rung)
{
    if (jailed || arming.read_only || filters_at_start() || (arming.shut_out && !rung))
        return LOG_INFO;
    return LOG_ERROR;
}

static bool start(bool thorough)
{
    struct identity now = identity_now();
    struct place place;
    bool made = false, jailed = false;

    note_start_root(&now);
    lock_take(&arming.files);
    if (!arming.ended) {
        made = make_any(&now, &place);
        /* A daemon's worker changes its user at once after fork(), maybe between the two lines above. */
        if (!made && sys_geteuid() != now.uid) {
            now = identity_now();
            made = make_any(&now, &place);
        }
        arming.identity = now;
        if (made) {
            adopt(&now, &place, -1);
            sweep_some(arming.dir.fd, &place.maker, thorough);
        }
        jailed = open_jail(&now);
    }
    lock_give(&arming.files);
    if (!made && arming_problem[0])
        log_write(level_of_failure(jailed, thorough), "no FIFO: %s", arming_problem);
    return made;
}

void arming_open_directory(void)
{
    struct identity now = identity_now();
    struct runtime_user user = {.uid = now.uid, .privileged = now.privileged};
    char path[PATH_MAX];

    runtime_dir_choose(path, &user, settings.directory, settings.xdg);
    if (runtime_dir_open(&arming.dir, keep_path(path, arming.path), &user, arming_problem) != 0)
        log_write(LOG_ERROR, "no directory for copies of patches: %s", arming_problem);
    else
        made_here_note();
    arming.copied = true;
}

void arming_close_directory(void)
{
    runtime_dir_close(&arming.dir);
}

bool arming_announce(void)
{
    bool made = start(false);

    runtime_dir_close(&arming.dir);
    return made;
}

bool arming_start(void)
{
    return start(true);
}

static int open_fifo(const struct runtime_dir *dir, const char *stem, ino_t ino)
{
    char name[NAME_MAX];

    file_name(name, stem, "fifo");
    return runtime_dir_open_fifo(dir, name, ino);
}

bool arming_open(void)
{
    int fifo = -1;

    lock_take(&arming.files);
    if (arming.announced && arming.dir.fd >= 0 && !arming.ended) {
        fifo = open_fifo(&arming.dir, arming.stem, arming.fifo_ino);
        if (fifo >= 0) {
            arming.fifo = fifo;
            arming.announced = false;
        } else {
            log_write(LOG_ERROR, "no FIFO: open %s/%s.fifo: %s", arming.dir.path, arming.stem,
                      sys_error(fifo));
        }
    }
    lock_give(&arming.files);
    return fifo >= 0;
}

static bool fifo_gone(void)
{
    char name[NAME_MAX];
    struct stat st;

    if (arming.fifo < 0)
        return true;
    file_name(name, arming.stem, "fifo");
    if (sys_fstatat(arming.dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    /* The directory itself may have been removed and made again under the same name. */
    if (st.st_ino != arming.fifo_ino)
        return true;
    return sys_fstatat(AT_FDCWD, arming.dir.path, &st, AT_SYMLINK_NOFOLLOW) != 0;
}

/* A name that the process may not remove any more; a new user cannot even look. */
static bool name_stays(const struct runtime_dir *dir, const char *stem)
{
    char name[NAME_MAX];
    struct stat st;

    file_name(name, stem, "fifo");
    return sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != -ENOENT;
}

static bool arm_again(const struct identity *now)
{
    struct runtime_dir old = arming.dir;
    struct place place;
    char stem[STEM_SIZE];
    int old_fifo = arming.fifo, fifo;

    memcpy(stem, arming.stem, STEM_SIZE);
    if (!make_any(now, &place))
        return false;
    if (old_fifo >= 0 && place.ino == arming.fifo_ino && same_directory(&place.dir, &old))
        fifo = old_fifo;
    else
        fifo = open_fifo(&place.dir, place.stem, place.ino);
    if (fifo < 0) {
        runtime_dir_close(&place.dir);
        return false;
    }
    adopt(now, &place, fifo);
    if (old.fd >= 0) {
        if (fifo != old_fifo && !leads_to(&old, stem, place.ino))
            remove_files(&old, stem);
        arming.retired_misleads = fifo != old_fifo && name_stays(&old, stem);
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
        bool jailed = open_jail(&now);

        again = arm_again(&now);
        if (!again)
            log_write(jailed ? LOG_INFO : LOG_ERROR, "the FIFO stays where it was: %s",
                      arming_problem);
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
    arming.announced = arming.announced || arming.fifo >= 0;
    arming.fifo = arming.retired = -1;
    lock_give(&arming.files);
    jail_reset(); /* the listener's table goes */
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
    there = arming.dir.fd >= 0;
    if (there)
        snprintf(path, size, "%s/%s.fifo", arming.dir.path, arming.stem);
    lock_give(&arming.files);
    return there;
}

int arming_write_status(const char *text, size_t length)
{
    char name[NAME_MAX];
    int result = 0;

    lock_take(&arming.files);
    if (arming.dir.fd >= 0 && !arming.ended) {
        file_name(name, arming.stem, "json");
        result = runtime_dir_replace(&arming.dir, name, text, length);
        arming.written = arming.written || result == 0;
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
    if (!listener_wake())
        return;
    while (atomic_load_explicit(&arming.removal, memory_order_acquire) == ASKED)
        if (sys_futex_wait(&arming.removal, ASKED, &limit) == -ETIMEDOUT)
            return;
}

void arming_remove_if_asked(void)
{
    if (atomic_load_explicit(&arming.removal, memory_order_acquire) != ASKED)
        return;
    remove_files(&arming.dir, arming.stem);
    atomic_store_explicit(&arming.removal, DONE, memory_order_release);
    sys_futex_wake(&arming.removal, 1);
}

void arming_remove(void)
{
    if (made_here())
        remove_files(&arming.dir, arming.stem);
}

static int remove_by_path(const char *suffix)
{
    char path[PATH_MAX + NAME_MAX], name[NAME_MAX];
    const char *end = path + sizeof(path);

    file_name(name, arming.stem, suffix);
    text_add(text_add(text_add(path, end, arming.dir.path), end, "/"), end, name);
    return sys_unlinkat(AT_FDCWD, path, 0);
}

void arming_end(void)
{
    const char *directory = NULL;
    bool reached = true;

    /* Bounded: a status file on a dead network file system must not keep a process from ending. */
    if (!lock_try(&arming.files) && !lock_take_until(&arming.files, clock_ms() + 2000))
        return;
    arming.ended = true;
    /* A child that was made past fork(3) has our memory but not our files. */
    if ((arming.announced || arming.fifo >= 0) && made_here()) {
        if (arming.written)
            remove_by_path("json");
        reached = remove_by_path("fifo") != -ENOENT || arming.fifo < 0;
        if (arming.fifo >= 0)
            directory = arming.dir.path;
    }
    if (arming.copied && made_here())
        directory = arming.dir.path;
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
    struct runtime_dir dir = {.fd = -1};
    struct maker self = maker_self();
    char name[NAME_MAX], stem[STEM_SIZE], path[PATH_MAX];
    struct stat st;

    runtime_dir_choose(path, &user, settings.directory, settings.xdg);
    dir.fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (dir.fd < 0)
        return;
    snprintf(stem, sizeof(stem), "%d", (int)now.pid);
    file_name(name, stem, "fifo");
    /* A process of this number in another pid namespace may have it. */
    if (sys_fstatat(dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(st.st_mode) &&
        st.st_uid == now.uid && sweep_lock(dir.fd)) {
        if (sweep_way_is_clear(dir.fd, name, &self))
            remove_files(&dir, stem);
        sweep_unlock(dir.fd);
    }
    runtime_dir_close(&dir);
}

void arming_enter_user_namespace(void)
{
    arming.in_user_namespace = true;
}

bool arming_ended(void)
{
    return arming.ended;
}

void arming_reset(void)
{
    lock_reset(&arming.files);
    arming.ended = false;
    atomic_store_explicit(&arming.removal, NOT_ASKED, memory_order_relaxed);
    arming.dir.fd = -1;
    arming.fifo = arming.retired = -1;
    arming.announced = arming.written = false;
    arming.identity = (struct identity){0};
    jail_reset();
}
