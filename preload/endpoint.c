/*
 * endpoint.c - see endpoint.h.
 *
 * The constructor makes the FIFO and closes it; the listener opens it again. The lock `files` prevents the
 * constructor, the listener and the destructor on another thread from making and removing files at the same time.
 */
#include "preload/endpoint.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "preload/endpoint_files.h"
#include "preload/filters.h"
#include "preload/identity.h"
#include "preload/jail.h"
#include "preload/leftovers.h"
#include "preload/log.h"
#include "preload/made_here.h"
#include "preload/plain_text.h"
#include "preload/self.h"
#include "preload/settings.h"
#include "preload/sweep.h"
#include "preload/thread_role.h"
#include "preload/wake.h"

#define REMOVAL_LIMIT_MS 100
#define SHORT_PATH 128

enum removal { NOT_ASKED, ASKED, DONE };

static struct {
    _Atomic uint32_t removal; /* futex */
    struct lock files;        /* held while files are made or removed */
    bool ended;
    struct identity identity;
    struct runtime_dir dir;
    int fifo, retired;
    bool retired_misleads;
    ino_t fifo_ino;
    char stem[ENDPOINT_STEM_SIZE]; /* first part of the file names: PID, or PID-NSINODE */
    bool copied;                   /* patches were applied in the constructor */
    bool read_only; /* the last directory for the FIFO is on a read-only file system */
    bool announced; /* the FIFO exists, and this process has not opened it */
    bool written;   /* the status file exists */
    bool shut_out;  /* the user's rights or a limit prevent the use of the directory */
    unsigned path;  /* index of the path of endpoint.dir in the arrays below */
} endpoint STATE = {.dir.fd = -1, .fifo = -1, .retired = -1};

static char endpoint_problem[RUNTIME_WHY_SIZE] STATE;
/* Paths of the present and the previous directory. A path of ordinary length makes no further page dirty. */
static char short_paths[2][SHORT_PATH] STATE;
static char long_paths[2][PATH_MAX];

static const char *keep_path(const char *path, unsigned which)
{
    size_t size = strlen(path) + 1;

    return memcpy(size <= SHORT_PATH ? short_paths[which] : long_paths[which], path, size);
}

static bool open_jail(const struct identity *now)
{
    return identity_in_foreign_root(now) && jail_open();
}

/* Directory and FIFO of a process. */
struct place {
    struct runtime_dir dir;
    char stem[ENDPOINT_STEM_SIZE];
    ino_t ino;          /* of the FIFO */
    struct maker maker; /* this process */
};

static bool same_directory(const struct runtime_dir *a, const struct runtime_dir *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

/* Keep the FIFO that this process has made, if its name in the directory still leads to this FIFO: clients may wait
 * for it. This is correct after a chroot or a change of user too. */
static bool keep_fifo(const struct identity *identity, struct place *place)
{
    if ((!endpoint.announced && endpoint.fifo < 0) || !made_here() ||
        endpoint.identity.pid != identity->pid || !same_directory(&place->dir, &endpoint.dir) ||
        !endpoint_files_lead_to(&place->dir, endpoint.stem, endpoint.fifo_ino))
        return false;
    if (endpoint.announced && endpoint.identity.uid != identity->uid && identity->uid != 0) {
        /* The FIFO is not open and belongs to the old user. The directory is the new user's, who may not open the
         * FIFO. */
        endpoint_files_remove(&place->dir, endpoint.stem);
        return false;
    }
    memcpy(place->stem, endpoint.stem, ENDPOINT_STEM_SIZE);
    place->ino = endpoint.fifo_ino;
    return true;
}

static int make_named(struct place *place)
{
    char name[NAME_MAX];
    int result;

    endpoint_file_name(name, place->stem, "fifo");
    result = runtime_dir_make_fifo(&place->dir, name, &place->maker, &place->ino, endpoint_problem);
    endpoint.read_only = result == -EROFS;
    return result;
}

/* Make PID.fifo, or PID-NSINODE.fifo if a process of another pid namespace has the first name. Two names of one
 * namespace differ in PID. */
static bool make_fifo(const struct identity *identity, struct place *place)
{
    const char *end = place->stem + ENDPOINT_STEM_SIZE;
    char *at = text_add_number(place->stem, end, (uint64_t)identity->pid);
    int result = make_named(place);

    if (result != -EBUSY || self_pid_ns() == 0)
        return result == 0;
    text_add_number(text_add(at, end, "-"), end, self_pid_ns());
    return make_named(place) == 0;
}

/* Make directory and FIFO for `identity`. On failure no descriptor stays open. */
static bool make_place(const struct identity *identity, const char *configured, struct place *place)
{
    struct runtime_user user = {.uid = identity->uid,
                                .privileged = identity->privileged,
                                .only_known = identity_is_in_user_namespace(),
                                .known_dev = endpoint.dir.dev,
                                .known_ino = endpoint.dir.ino};
    char path[PATH_MAX];
    int result;

    path[0] = '\0';
    if (!user.only_known)
        runtime_dir_choose(path, &user, configured, settings.xdg);
    else if (endpoint.dir.path)
        memcpy(path, endpoint.dir.path, strlen(endpoint.dir.path) + 1);
    result =
        runtime_dir_open(&place->dir, keep_path(path, !endpoint.path), &user, endpoint_problem);
    endpoint.read_only = result == -EROFS;
    endpoint.shut_out = result == -EACCES || result == -EMFILE;
    if (result != 0)
        return false;
    place->maker = maker_self();
    if (!keep_fifo(identity, place) && !make_fifo(identity, place)) {
        runtime_dir_close(&place->dir);
        return false;
    }
    endpoint_problem[0] = '\0';
    return true;
}

/* Make directory and FIFO. If the configured directory is not the present user's, use the default directory of that
 * user. The configured directory is of the user who executed the program; the process that listens first may be a
 * forked child that has changed its user. */
static bool make_any(const struct identity *identity, struct place *place)
{
    return make_place(identity, settings.directory, place) ||
           (settings.directory[0] && identity->uid != getauxval(AT_EUID) &&
            make_place(identity, "", place));
}

static void adopt(const struct identity *identity, const struct place *place, int fifo)
{
    if (place->ino != endpoint.fifo_ino || !same_directory(&place->dir, &endpoint.dir))
        endpoint.written = false;
    endpoint.identity = *identity;
    endpoint.dir = place->dir;
    endpoint.path = !endpoint.path;
    memcpy(endpoint.stem, place->stem, ENDPOINT_STEM_SIZE);
    endpoint.fifo = fifo;
    endpoint.fifo_ino = place->ino;
    endpoint.announced = fifo < 0;
    made_here_note();
}

/* Return the log level of a failure. A missing FIFO is not an error in a jail, under an inherited filter, and where
 * no file can be written. A directory that the process may not use is not an error before a command has rung. */
static enum log_level level_of_failure(bool jailed, bool rung)
{
    if (jailed || endpoint.read_only || filters_at_start() || (endpoint.shut_out && !rung))
        return LOG_INFO;
    return LOG_ERROR;
}

static bool start_endpoint(bool thorough)
{
    struct identity now = identity_now();
    struct place place;
    bool made = false, jailed = false;

    identity_note_root(&now);
    lock_acquire(&endpoint.files);
    if (!endpoint.ended) {
        made = make_any(&now, &place);
        /* A daemon's worker changes its user soon after fork(), perhaps between the two lines above. */
        if (!made && sys_geteuid() != now.uid) {
            now = identity_now();
            made = make_any(&now, &place);
        }
        endpoint.identity = now;
        if (made) {
            adopt(&now, &place, -1);
            sweep_some(endpoint.dir.fd, &place.maker, thorough);
        }
        jailed = open_jail(&now);
    }
    lock_release(&endpoint.files);
    if (!made && endpoint_problem[0])
        log_write(level_of_failure(jailed, thorough), "no FIFO: %s", endpoint_problem);
    return made;
}

void endpoint_open_directory(void)
{
    struct identity now = identity_now();
    struct runtime_user user = {.uid = now.uid, .privileged = now.privileged};
    char path[PATH_MAX];

    runtime_dir_choose(path, &user, settings.directory, settings.xdg);
    if (runtime_dir_open(&endpoint.dir, keep_path(path, endpoint.path), &user, endpoint_problem) !=
        0)
        log_write(LOG_ERROR, "no directory for copies of patches: %s", endpoint_problem);
    else
        made_here_note();
    endpoint.copied = true;
}

void endpoint_close_directory(void)
{
    runtime_dir_close(&endpoint.dir);
}

bool endpoint_announce(void)
{
    bool made = start_endpoint(false);

    runtime_dir_close(&endpoint.dir);
    return made;
}

bool endpoint_start(void)
{
    return start_endpoint(true);
}

bool endpoint_open(void)
{
    int fifo = -1;

    lock_acquire(&endpoint.files);
    if (endpoint.announced && endpoint.dir.fd >= 0 && !endpoint.ended) {
        fifo = endpoint_files_open(&endpoint.dir, endpoint.stem, endpoint.fifo_ino);
        if (fifo >= 0) {
            endpoint.fifo = fifo;
            endpoint.announced = false;
        } else {
            log_write(LOG_ERROR, "no FIFO: open %s/%s.fifo: %s", endpoint.dir.path, endpoint.stem,
                      sys_error(fifo));
        }
    }
    lock_release(&endpoint.files);
    return fifo >= 0;
}

static bool fifo_gone(void)
{
    char name[NAME_MAX];
    struct stat st;

    if (endpoint.fifo < 0)
        return true;
    endpoint_file_name(name, endpoint.stem, "fifo");
    if (sys_fstatat(endpoint.dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    /* The directory itself may have been removed and made again under the same name. */
    if (st.st_ino != endpoint.fifo_ino)
        return true;
    return sys_fstatat(AT_FDCWD, endpoint.dir.path, &st, AT_SYMLINK_NOFOLLOW) != 0;
}

static bool arm_again(const struct identity *now)
{
    struct runtime_dir old = endpoint.dir;
    struct place place;
    char stem[ENDPOINT_STEM_SIZE];
    int old_fifo = endpoint.fifo, fifo;

    memcpy(stem, endpoint.stem, ENDPOINT_STEM_SIZE);
    if (!make_any(now, &place))
        return false;
    if (old_fifo >= 0 && place.ino == endpoint.fifo_ino && same_directory(&place.dir, &old))
        fifo = old_fifo;
    else
        fifo = endpoint_files_open(&place.dir, place.stem, place.ino);
    if (fifo < 0) {
        runtime_dir_close(&place.dir);
        return false;
    }
    adopt(now, &place, fifo);
    if (old.fd >= 0) {
        if (fifo != old_fifo && !endpoint_files_lead_to(&old, stem, place.ino))
            endpoint_files_remove(&old, stem);
        endpoint.retired_misleads = fifo != old_fifo && endpoint_files_stay(&old, stem);
        sys_close(old.fd);
    }
    if (fifo != old_fifo) {
        if (endpoint.retired >= 0)
            sys_close(endpoint.retired);
        endpoint.retired = old_fifo;
    }
    return true;
}

bool endpoint_user_changed(void)
{
    return sys_geteuid() != endpoint.identity.uid;
}

bool endpoint_check(bool doorbell)
{
    struct identity now = identity_now();
    bool changed = memcmp(&now, &endpoint.identity, sizeof(now)) != 0;
    bool again = false;

    if (!changed && !(doorbell && fifo_gone()))
        return false;
    lock_acquire(&endpoint.files);
    if (!endpoint.ended) {
        bool jailed = open_jail(&now);

        again = arm_again(&now);
        if (!again)
            log_write(jailed ? LOG_INFO : LOG_ERROR, "the FIFO stays where it was: %s",
                      endpoint_problem);
        endpoint.identity = now;
    }
    lock_release(&endpoint.files);
    return again;
}

void endpoint_stop(void)
{
    lock_acquire(&endpoint.files);
    if (endpoint.fifo >= 0)
        sys_close(endpoint.fifo);
    if (endpoint.retired >= 0)
        sys_close(endpoint.retired);
    runtime_dir_close(&endpoint.dir);
    endpoint.announced = endpoint.announced || endpoint.fifo >= 0;
    endpoint.fifo = endpoint.retired = -1;
    lock_release(&endpoint.files);
    jail_reset(); /* the listener's descriptor table is closed */
}

int endpoint_retired(void)
{
    return endpoint.retired;
}

bool endpoint_retired_misleads(void)
{
    return endpoint.retired >= 0 && endpoint.retired_misleads;
}

void endpoint_close_retired(void)
{
    sys_close(endpoint.retired);
    endpoint.retired = -1;
}

int endpoint_fifo(void)
{
    return endpoint.fifo;
}

const struct runtime_dir *endpoint_dir(void)
{
    return &endpoint.dir;
}

bool endpoint_path(char *path, size_t size)
{
    bool there;

    lock_acquire(&endpoint.files);
    there = endpoint.dir.fd >= 0;
    if (there)
        snprintf(path, size, "%s/%s.fifo", endpoint.dir.path, endpoint.stem);
    lock_release(&endpoint.files);
    return there;
}

int endpoint_write_status(const char *text, size_t length)
{
    char name[NAME_MAX];
    int result = 0;

    lock_acquire(&endpoint.files);
    if (endpoint.dir.fd >= 0 && !endpoint.ended) {
        endpoint_file_name(name, endpoint.stem, "json");
        result = runtime_dir_replace(&endpoint.dir, name, text, length);
        endpoint.written = endpoint.written || result == 0;
    }
    lock_release(&endpoint.files);
    return result;
}

/* Let the listener remove the files: after a chroot no name leads to the directory, but the listener's descriptor
 * does. */
static void ask_listener_to_remove(void)
{
    struct timespec limit = clock_spec(clock_ms() + REMOVAL_LIMIT_MS);

    atomic_store_explicit(&endpoint.removal, ASKED, memory_order_release);
    if (!wake_listener())
        return;
    while (atomic_load_explicit(&endpoint.removal, memory_order_acquire) == ASKED)
        if (sys_futex_wait(&endpoint.removal, ASKED, &limit) == -ETIMEDOUT)
            return;
}

void endpoint_remove_if_asked(void)
{
    if (atomic_load_explicit(&endpoint.removal, memory_order_acquire) != ASKED)
        return;
    endpoint_files_remove(&endpoint.dir, endpoint.stem);
    atomic_store_explicit(&endpoint.removal, DONE, memory_order_release);
    sys_futex_wake(&endpoint.removal, 1);
}

void endpoint_remove(void)
{
    if (made_here())
        endpoint_files_remove(&endpoint.dir, endpoint.stem);
}

void endpoint_end(void)
{
    const char *directory = NULL;
    bool reached = true;

    /* With a limit: a status file on a network file system that does not reply must not prevent the process from
     * ending. */
    if (!lock_try(&endpoint.files) && !lock_acquire_until(&endpoint.files, clock_ms() + 2000))
        return;
    endpoint.ended = true;
    /* A child that was made without fork(3) has the shim's memory but not its files. */
    if ((endpoint.announced || endpoint.fifo >= 0) && made_here()) {
        if (endpoint.written)
            endpoint_files_remove_by_path(endpoint.dir.path, endpoint.stem, "json");
        reached =
            endpoint_files_remove_by_path(endpoint.dir.path, endpoint.stem, "fifo") != -ENOENT ||
            endpoint.fifo < 0;
        if (endpoint.fifo >= 0)
            directory = endpoint.dir.path;
    }
    if (endpoint.copied && made_here())
        directory = endpoint.dir.path;
    lock_release(&endpoint.files);
    if (!reached && thread_role() != THREAD_LISTENER)
        ask_listener_to_remove();
    if (directory && reached)
        leftovers_remove(directory);
}

void endpoint_remove_left_by_exec(void)
{
    struct identity now = identity_now();
    struct runtime_user user = {.uid = now.uid, .privileged = now.privileged};
    struct runtime_dir dir = {.fd = -1};
    struct maker self = maker_self();
    char name[NAME_MAX], stem[ENDPOINT_STEM_SIZE], path[PATH_MAX];
    struct stat st;

    runtime_dir_choose(path, &user, settings.directory, settings.xdg);
    dir.fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (dir.fd < 0)
        return;
    snprintf(stem, sizeof(stem), "%d", (int)now.pid);
    endpoint_file_name(name, stem, "fifo");
    /* A process with this number in another pid namespace may own the FIFO. */
    if (sys_fstatat(dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(st.st_mode) &&
        st.st_uid == now.uid && sweep_lock(dir.fd)) {
        if (sweep_way_is_clear(dir.fd, name, &self))
            endpoint_files_remove(&dir, stem);
        sweep_unlock(dir.fd);
    }
    runtime_dir_close(&dir);
}

bool endpoint_ended(void)
{
    return endpoint.ended;
}

void endpoint_reset(void)
{
    lock_reset(&endpoint.files);
    endpoint.ended = false;
    atomic_store_explicit(&endpoint.removal, NOT_ASKED, memory_order_relaxed);
    endpoint.dir.fd = -1;
    endpoint.fifo = endpoint.retired = -1;
    endpoint.announced = endpoint.written = false;
    endpoint.identity = (struct identity){0};
}
