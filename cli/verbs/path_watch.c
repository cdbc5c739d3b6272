/*
 * path_watch.c - see path_watch.h.
 *
 * The path is walked as the kernel walks it (path_resolution(7)): each directory in which a name is looked up
 * is watched for that name, those of symbolic links' targets too, and the file itself for writes by any of its
 * names. A directory is watched before the name in it is looked up: what changes after that is an event, at
 * which the path is walked again.
 */
#include "cli/verbs/path_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/output/clock.h"
#include "cli/output/output.h"

#define LOOK_MS 1000 /* between two looks at what is not reported */
#define LINKS_MAX 40 /* path_resolution(7): more are ELOOP */

#define DIRECTORY_EVENTS                                                                \
    (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ATTRIB | IN_DELETE_SELF | \
     IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)
#define FILE_EVENTS \
    (IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD)

/* A name looked up in a directory, or (no name) the file at the end of the path. */
struct watched_name {
    int number; /* inotify's, of the directory or file */
    char *name;
};

/* What tells files and their contents apart, as far as stat(2) can. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct watched_path {
    const char *path;
    struct watched_name *looks;
    size_t count;
    char *unreported; /* why the path is looked at once a second; NULL: it need not be */
    char *said;       /* the last such reason that was printed */
    struct file_identity last;
};

struct path_watch {
    int inotify; /* -1: there is none */
    int mounts;  /* /proc/self/mountinfo; -1: it cannot be read */
    int error;   /* why there is no inotify */
    struct watched_path *files;
    size_t count;
    uint64_t next;    /* look */
    const char *text; /* path_watch_listen() */
    bool heard;
};

/* File systems on which changes need not be made by this kernel: statfs(2). */
static const struct {
    unsigned long type;
    const char *name;
} elsewhere[] = {
    {NFS_SUPER_MAGIC, "NFS"},   {0x65735546, "FUSE"},     {V9FS_MAGIC, "9p"},
    {0xff534d42, "CIFS"},       {0xfe534d42, "SMB"},      {SMB_SUPER_MAGIC, "SMB"},
    {0x00c36400, "Ceph"},       {AFS_SUPER_MAGIC, "AFS"}, {0x6b414653, "AFS"},
    {CODA_SUPER_MAGIC, "Coda"}, {0x0bd00bd0, "Lustre"},   {0x7461636f, "OCFS2"},
    {0x01161970, "GFS2"},       {0x786f4256, "vboxsf"},   {PROC_SUPER_MAGIC, "proc"},
    {SYSFS_MAGIC, "sysfs"},
};

static const char *elsewhere_name(const char *path, bool *proc)
{
    struct statfs fs;

    *proc = false;
    if (statfs(path, &fs) != 0)
        return NULL;
    *proc = (unsigned long)fs.f_type == PROC_SUPER_MAGIC;
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        if ((unsigned long)fs.f_type == elsewhere[i].type)
            return elsewhere[i].name;
    return NULL;
}

/* ---- the walk ---- */

static void unreported(struct watched_path *file, char *why)
{
    if (file->unreported)
        free(why);
    else
        file->unreported = why;
}

static void look_add(struct watched_path *file, int number, const char *name)
{
    file->looks = reallocate(file->looks, (file->count + 1) * sizeof(*file->looks));
    file->looks[file->count++] =
        (struct watched_name){.number = number, .name = name ? format_text("%s", name) : NULL};
}

static char *error_reason(const char *at, int error)
{
    if (error == ENOSPC)
        return format_text("all watches of fs.inotify.max_user_watches are in use");
    return format_text("%s cannot be watched (%s)", at, strerror(error));
}

/* Watch one place on the way. Return false where the walk ends there. */
static bool watch_place(const struct path_watch *watch, struct watched_path *file, const char *at,
                        uint32_t events, const char *name)
{
    bool proc;
    const char *kind = elsewhere_name(at, &proc);
    int number = inotify_add_watch(watch->inotify, at, events);

    if (number >= 0)
        look_add(file, number, name);
    /* What is gone already is an event of the directory before it. */
    else if (errno != ENOENT && errno != ENOTDIR)
        unreported(file, error_reason(at, errno));
    if (kind)
        unreported(file, format_text("not all that changes on %s is reported", kind));
    /* Links in /proc lead elsewhere than their text says: proc(5). */
    return !proc && (number >= 0 || (errno != ENOENT && errno != ENOTDIR));
}

/* Return "/a/b/c" for "/a/b" and "c"; malloc'd. */
static char *path_below(const char *directory, const char *name)
{
    return format_text("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name);
}

/* Return the text of a symbolic link, malloc'd; NULL with errno. */
static char *link_text(const char *path)
{
    char text[4096]; /* PATH_MAX: no link is longer */
    ssize_t n = readlink(path, text, sizeof(text) - 1);

    return n < 0 ? NULL : format_text("%.*s", (int)n, text);
}

struct path_walk {
    char *at;   /* the directory reached, without links in it */
    char *rest; /* of the path */
    unsigned links;
};

/* Go to `next` or, where that is a link with the text `target`, to where it leads. */
static void walk_step(struct path_walk *walk, char *next, char *target, const char *rest)
{
    char *left = target ? format_text("%s/%s", target, rest) : format_text("%s", rest);

    if (target && *target != '/') {
        free(next);
    } else {
        free(walk->at);
        walk->at = target ? format_text("/") : next;
        if (target)
            free(next);
    }
    walk->links += target != NULL;
    free(target);
    free(walk->rest);
    walk->rest = left;
}

/* Look up the first name of the rest. False: the walk ends before the file. */
static bool walk_name(const struct path_watch *watch, struct watched_path *file,
                      struct path_walk *walk)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    char *name = format_text("%.*s", (int)length, start), *next;
    bool there = true;

    if (strcmp(name, ".") == 0) {
        walk_step(walk, format_text("%s", walk->at), NULL, start + length);
    } else if (!watch_place(watch, file, walk->at, DIRECTORY_EVENTS, name)) {
        there = false;
    } else if (strcmp(name, "..") == 0) {
        next = format_text("%s", walk->at);
        *(strrchr(next, '/') + (strrchr(next, '/') == next)) = 0;
        walk_step(walk, next, NULL, start + length);
    } else {
        char *target;

        next = path_below(walk->at, name);
        target = link_text(next);
        there = (target || errno == EINVAL) && walk->links <= LINKS_MAX;
        walk_step(walk, next, target, start + length);
    }
    free(name);
    return there;
}

static void walk_path(const struct path_watch *watch, struct watched_path *file)
{
    struct path_walk walk = {.at = format_text("/"), .rest = format_text("%s", file->path)};
    bool there = true;

    while (there && walk.rest[strspn(walk.rest, "/")])
        there = walk_name(watch, file, &walk);
    if (there)
        watch_place(watch, file, walk.at, FILE_EVENTS, NULL);
    free(walk.at);
    free(walk.rest);
}

static struct file_identity identity_of(const char *path)
{
    /* Over a network open(2) asks the server, stat(2) need not: nfs(5), "Close-to-open". */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct file_identity identity;
    struct stat st;

    memset(&identity, 0, sizeof(identity));
    if (fd < 0)
        return identity;
    if (fstat(fd, &st) == 0) {
        identity.device = st.st_dev;
        identity.inode = st.st_ino;
        identity.size = st.st_size;
        identity.modified = st.st_mtim;
        identity.changed = st.st_ctim;
    }
    close(fd);
    return identity;
}

static void say_unreported(struct watched_path *file)
{
    char *line;

    if (file->said && strcmp(file->said, file->unreported) == 0)
        return;
    free(file->said);
    file->said = format_text("%s", file->unreported);
    line = format_text("%s is looked at once a second: %s", file->path, file->unreported);
    warning_print(line);
    free(line);
}

static bool number_in_use(const struct path_watch *watch, int number)
{
    for (size_t i = 0; i < watch->count; i++)
        for (size_t j = 0; j < watch->files[i].count; j++)
            if (watch->files[i].looks[j].number == number)
                return true;
    return false;
}

static void looks_drop(const struct path_watch *watch, struct watched_name *looks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!number_in_use(watch, looks[i].number))
            inotify_rm_watch(watch->inotify, looks[i].number);
        free(looks[i].name);
    }
    free(looks);
}

static void watch_file(const struct path_watch *watch, struct watched_path *file)
{
    struct watched_name *before = file->looks;
    size_t count = file->count;

    free(file->unreported);
    file->unreported = NULL;
    file->looks = NULL;
    file->count = 0;
    if (watch->inotify >= 0)
        walk_path(watch, file);
    else if (watch->error == EMFILE)
        unreported(file, format_text("all instances of fs.inotify.max_user_instances, or all "
                                     "descriptors of RLIMIT_NOFILE, are in use"));
    else
        unreported(file, format_text("there is no inotify (%s)", strerror(watch->error)));
    looks_drop(watch, before, count);
    if (file->unreported) {
        file->last = identity_of(file->path);
        say_unreported(file);
    }
}

/* ---- events ---- */

/* What an event may mean for a path. */
enum {
    CONTENTS = 1, /* the file has been written to; the path leads where it led */
    WAY = 2,      /* the path may lead to another file */
};

static unsigned event_concerns(const struct watched_path *file, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return WAY;
    for (size_t i = 0; i < file->count; i++)
        if (file->looks[i].number == event->wd && (event->len == 0 || !file->looks[i].name ||
                                                   strcmp(file->looks[i].name, event->name) == 0))
            return event->mask & (IN_MODIFY | IN_CLOSE_WRITE) ? CONTENTS : WAY;
    return 0;
}

static bool event_heard(const struct path_watch *watch, const struct inotify_event *event)
{
    return watch->text && event->len && event->mask & (IN_CREATE | IN_MOVED_TO) &&
           strstr(watch->text, event->name);
}

static void read_events(struct path_watch *watch, unsigned *seen)
{
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;

    while ((n = read(watch->inotify, buffer, sizeof(buffer))) > 0)
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const void *)at;
            unsigned concerns = 0;

            for (size_t i = 0; i < watch->count; i++) {
                unsigned its = event_concerns(&watch->files[i], event);

                seen[i] |= its;
                concerns |= its;
            }
            watch->heard |= !concerns && event_heard(watch, event);
            at += sizeof(*event) + event->len;
        }
}

static void look_at_unreported(struct path_watch *watch, unsigned *seen)
{
    uint64_t now = now_ms();

    if (now < watch->next)
        return;
    watch->next = now + LOOK_MS;
    for (size_t i = 0; i < watch->count; i++) {
        struct watched_path *file = &watch->files[i];
        struct file_identity identity;

        if (!file->unreported)
            continue;
        identity = identity_of(file->path);
        if (memcmp(&identity, &file->last, sizeof(identity)) != 0)
            seen[i] |= WAY;
    }
}

/* ---- outside ---- */

struct path_watch *path_watch_open(const char *const *paths, size_t count)
{
    struct path_watch *watch = allocate(sizeof(*watch));

    watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watch->error = errno;
    watch->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    watch->next = now_ms() + LOOK_MS;
    for (size_t i = 0; i < count; i++)
        path_watch_add(watch, paths[i]);
    return watch;
}

void path_watch_add(struct path_watch *watch, const char *path)
{
    if ((watch->count & (watch->count - 1)) == 0)
        watch->files =
            reallocate(watch->files, (watch->count ? watch->count * 2 : 1) * sizeof(*watch->files));
    watch->files[watch->count] = (struct watched_path){.path = path};
    watch_file(watch, &watch->files[watch->count++]);
}

void path_watch_close(struct path_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->count; i++) {
        struct watched_path *file = &watch->files[i];

        for (size_t j = 0; j < file->count; j++)
            free(file->looks[j].name);
        free(file->looks);
        free(file->unreported);
        free(file->said);
    }
    if (watch->inotify >= 0)
        close(watch->inotify);
    if (watch->mounts >= 0)
        close(watch->mounts);
    free(watch->files);
    free(watch);
}

void path_watch_listen(struct path_watch *watch, const char *text)
{
    watch->text = text;
    watch->heard = false;
}

bool path_watch_heard(struct path_watch *watch)
{
    bool heard = watch->heard;

    watch->heard = false;
    return heard;
}

void path_watch_polls(const struct path_watch *watch, struct pollfd *polls)
{
    polls[0] = (struct pollfd){.fd = watch->inotify, .events = POLLIN};
    polls[1] = (struct pollfd){.fd = watch->mounts, .events = POLLPRI};
}

uint64_t path_watch_next(const struct path_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->files[i].unreported)
            return watch->next;
    return UINT64_MAX;
}

void path_watch_take(struct path_watch *watch, const struct pollfd *polls, bool *touched)
{
    unsigned *seen = allocate(watch->count * sizeof(*seen));

    if (watch->inotify >= 0)
        read_events(watch, seen);
    look_at_unreported(watch, seen);
    for (size_t i = 0; i < watch->count; i++) {
        if (polls[1].revents & (POLLPRI | POLLERR))
            seen[i] |= WAY;
        if (seen[i])
            touched[i] = true;
        if (seen[i] & WAY)
            watch_file(watch, &watch->files[i]);
    }
    free(seen);
}
