/* runtime_dir.c - see runtime_dir.h. */
#include "preload/runtime_dir.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "preload/plain_text.h"
#include "preload/sweep.h"

/* The uid that the kernel shows for users that a user namespace does not map, user_namespaces(7). */
#define OVERFLOW_UID 65534u
#define XDG_MAX (PATH_MAX - 64)
#define ABOVE_SIZE 1024 /* "../" for each of 340 directories */

static void say(char why[RUNTIME_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char why[RUNTIME_WHY_SIZE], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, RUNTIME_WHY_SIZE, format, arguments);
    va_end(arguments);
}

static bool owned_directory(const char *path, uid_t uid)
{
    struct stat st;

    return path[0] && sys_fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == uid;
}

void runtime_dir_choose(char path[PATH_MAX], const struct runtime_user *user,
                        const char *configured, const char *xdg)
{
    char user_dir[64];
    const char *end = path + PATH_MAX;
    size_t length;

    text_add_number(text_add(user_dir, user_dir + sizeof(user_dir), "/run/user/"),
                    user_dir + sizeof(user_dir), user->uid);
    if (configured[0])
        text_add(path, end, configured);
    else if (user->uid == 0 || user->privileged)
        text_add(path, end, "/run/hotpatch");
    else if (strlen(xdg) < XDG_MAX && owned_directory(xdg, user->uid))
        text_add(text_add(path, end, xdg), end, "/hotpatch");
    else if (owned_directory(user_dir, user->uid))
        text_add(text_add(path, end, user_dir), end, "/hotpatch");
    else
        text_add_number(text_add(path, end, "/tmp/hotpatch-"), end, user->uid);
    /* open(2) follows a symbolic link before a trailing slash, O_NOFOLLOW or not. */
    for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
}

/* Check the directories above the runtime directory. A user that may rename one of them may replace the runtime
 * directory, from which objects are loaded by name. One system call for each directory, because a start pays for
 * them. The contents of a directory that has passed can be moved before the next check only by its owner, who has
 * passed too, or by root. */
static int check_above(int fd, uid_t uid, const struct stat *own, const char *path,
                       char why[RUNTIME_WHY_SIZE])
{
    struct stat st, below = *own;
    char above[ABOVE_SIZE];
    size_t length = 0;

    for (; length + sizeof("../") <= sizeof(above); below = st) {
        memcpy(above + length, "../", sizeof("../"));
        length += sizeof("../") - 1;
        if (sys_fstatat(fd, above, &st, 0) != 0)
            return 0;
        if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX)) {
            say(why, "a directory above %s can be written by others", path);
            return -EPERM;
        }
        if (st.st_uid != 0 && st.st_uid != uid && st.st_uid != OVERFLOW_UID) {
            say(why, "a directory above %s belongs to user %u", path, st.st_uid);
            return -EPERM;
        }
        if (st.st_ino == below.st_ino && st.st_dev == below.st_dev)
            return 0;
    }
    say(why, "too many directories lie above %s", path);
    return -EPERM;
}

static int check_owner(int fd, const struct stat *st, const struct runtime_user *user,
                       const char *path, char why[RUNTIME_WHY_SIZE])
{
    uid_t owner = user->privileged ? 0 : user->uid;

    if (user->only_known) {
        if (st->st_dev == user->known_dev && st->st_ino == user->known_ino)
            return 0;
        say(why, "%s is not the directory from before the user namespace", path);
        return -EPERM;
    }
    if (st->st_uid != owner) {
        say(why, "%s belongs to user %u, not to %u", path, st->st_uid, owner);
        return -EPERM;
    }
    return check_above(fd, owner, st, path, why);
}

static int check_directory(int fd, struct stat *st, const struct runtime_user *user,
                           const char *path, char why[RUNTIME_WHY_SIZE])
{
    int result = sys_fstat(fd, st);

    if (result != 0) {
        say(why, "stat %s: %s", path, sys_error(result));
        return result;
    }
    if (st->st_mode & 077) {
        say(why, "%s has mode %04o, not 0700", path, st->st_mode & 07777);
        return -EPERM;
    }
    return check_owner(fd, st, user, path, why);
}

static int open_directory(const char *path)
{
    return sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* Make the directory. Return 0 also if another process has just made it. */
static int make_directory(const char *path)
{
    int result = sys_mkdirat(AT_FDCWD, path, 0700);

    if (result == 0)
        sys_fchmodat(AT_FDCWD, path, 0700); /* a umask may have taken the owner's bits */
    return result == -EEXIST ? 0 : result;
}

int runtime_dir_open(struct runtime_dir *dir, const char *path, const struct runtime_user *user,
                     char why[RUNTIME_WHY_SIZE])
{
    struct stat st;
    int made = 0, fd = open_directory(path), result;

    dir->fd = -1;
    if (fd == -ENOENT && !user->privileged && !user->only_known) {
        made = make_directory(path);
        if (made == 0)
            fd = open_directory(path);
    }
    if (fd < 0) {
        say(why, "%s %s: %s%s", made != 0 ? "make" : "open", path, sys_error(made != 0 ? made : fd),
            fd == -ENOTDIR || fd == -ELOOP ? " (a link or a file is in its place)" : "");
        return made != 0 ? made : fd;
    }
    result = check_directory(fd, &st, user, path, why);
    if (result != 0) {
        sys_close(fd);
        return result;
    }
    dir->fd = fd;
    dir->owner = st.st_uid;
    dir->dev = st.st_dev;
    dir->ino = st.st_ino;
    dir->path = path;
    return 0;
}

void runtime_dir_close(struct runtime_dir *dir)
{
    if (dir->fd >= 0)
        sys_close(dir->fd);
    dir->fd = -1;
}

/* Remove the file with the FIFO's name, if it is stale and this process may remove it. Call with the lock held. */
static int clear_way(const struct runtime_dir *dir, const char *name, const struct maker *self,
                     char why[RUNTIME_WHY_SIZE])
{
    struct stat st;
    int result = sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (result == -ENOENT)
        return 0;
    if (result == 0 && st.st_uid != dir->owner && st.st_uid != sys_geteuid()) {
        say(why, "%s/%s belongs to user %u", dir->path, name, st.st_uid);
        return -EPERM;
    }
    if (result == 0 && S_ISFIFO(st.st_mode) && !sweep_way_is_clear(dir->fd, name, self)) {
        say(why, "another process has %s/%s", dir->path, name);
        return -EBUSY;
    }
    if (result == 0)
        result = sys_unlinkat(dir->fd, name, 0);
    if (result != 0)
        say(why, "remove %s/%s: %s", dir->path, name, sys_error(result));
    return result;
}

/* Remove the status file of the FIFO's previous owner: it must not be read as this process's. */
static void remove_status(const struct runtime_dir *dir, const char *fifo)
{
    char name[NAME_MAX];

    snprintf(name, sizeof(name), "%.*s.json", (int)strcspn(fifo, "."), fifo);
    sys_unlinkat(dir->fd, name, 0);
}

static int replace_fifo(const struct runtime_dir *dir, const char *name, const struct maker *self,
                        char why[RUNTIME_WHY_SIZE])
{
    int result;

    if (!sweep_lock(dir->fd)) {
        say(why, "others are at work on %s/%s", dir->path, name);
        return -EBUSY;
    }
    result = clear_way(dir, name, self, why);
    if (result == 0) {
        remove_status(dir, name);
        result = sys_mkfifoat(dir->fd, name, 0600);
        if (result != 0)
            say(why, "make %s/%s: %s", dir->path, name, sys_error(result));
    }
    sweep_unlock(dir->fd);
    return result;
}

static int open_fifo(const struct runtime_dir *dir, const char *name)
{
    const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;

    return sys_openat(dir->fd, name, flags, 0);
}

int runtime_dir_make_fifo(const struct runtime_dir *dir, const char *name, const struct maker *self,
                          ino_t *ino, char why[RUNTIME_WHY_SIZE])
{
    struct stat st;
    int result = sys_mkfifoat(dir->fd, name, 0600);

    if (result == -EEXIST)
        result = replace_fifo(dir, name, self, why);
    else if (result != 0)
        say(why, "make %s/%s: %s", dir->path, name, sys_error(result));
    if (result != 0)
        return result;
    maker_write(dir->fd, name, self);
    result = sys_fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW);
    if (result == 0 && (st.st_mode & 0777) != 0600)
        result = sys_fchmodat(dir->fd, name, 0600); /* against the umask, again */
    if (result != 0 || !S_ISFIFO(st.st_mode)) {
        say(why, "%s/%s was exchanged", dir->path, name);
        return -EPERM;
    }
    *ino = st.st_ino;
    return 0;
}

int runtime_dir_open_fifo(const struct runtime_dir *dir, const char *name, ino_t ino)
{
    int fd = open_fifo(dir, name);
    struct stat st;

    if (fd < 0)
        return fd;
    if (sys_fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino == ino)
        return fd;
    sys_close(fd);
    return -EPERM;
}

int runtime_dir_open_reply(const struct runtime_dir *dir, const char *name)
{
    struct stat st;
    int fd = sys_openat(dir->fd, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);

    if (fd < 0)
        return fd;
    if (sys_fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid == dir->owner)
        return fd;
    sys_close(fd);
    return -EPERM;
}

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = sys_write_quietly(fd, text, length);

        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? (int)written : -EIO;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

int runtime_dir_replace(const struct runtime_dir *dir, const char *name, const char *text,
                        size_t length)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char temporary[NAME_MAX];
    int fd, result;

    snprintf(temporary, sizeof(temporary), "%s.tmp", name);
    fd = sys_openat(dir->fd, temporary, flags, 0600);
    if (fd == -EEXIST && sys_unlinkat(dir->fd, temporary, 0) == 0)
        fd = sys_openat(dir->fd, temporary, flags, 0600);
    if (fd < 0)
        return fd;
    result = sys_fchmod(fd, 0600); /* against the program's umask */
    if (result == 0)
        result = write_all(fd, text, length);
    sys_close(fd);
    if (result == 0)
        result = sys_renameat(dir->fd, temporary, dir->fd, name);
    if (result != 0)
        sys_unlinkat(dir->fd, temporary, 0);
    return result;
}
