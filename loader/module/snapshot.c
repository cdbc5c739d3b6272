/*
 * snapshot.c - the private copy of a patch that is loaded in place of the file.
 *
 * Later writes to the original file must not change the host's mapping. The copy is RUNTIME/objects/SHA256-N.so.
 * Processes of one user share the copy by its content. N keeps a name from being used twice in one process, because
 * ld.so takes an object of a known name for loaded. If that file system refuses execution, the worker loads a memfd
 * instead.
 *
 * The listener writes the copy, or the main thread for HOTPATCH_PATCH. The process that ends last removes the directory
 * and all its files (preload/leftovers.c), also temporary files of processes that were killed. That process may remove
 * a copy that another process has just made: the worker then loads a memfd.
 */
#include "loader/module/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/services.h"
#include "base/sys.h"
#include "base/text.h"

#define TEMPORARY_MAX 100

static char objects_path[PATH_MAX]; /* "" until the first snapshot */

/* Open the directory of the copies. Return a descriptor; -ENOENT if the directory was removed meanwhile; or -1 with the
 * refusal. */
static int open_objects(struct refusal *why)
{
    const char *runtime;
    int runtime_fd = shim()->runtime_dir(&runtime), fd, made;
    struct stat st;

    if (runtime_fd < 0)
        return refuse(why, HP_SNAPSHOT, "copy the patch: there is no runtime directory");
    made = sys_mkdirat(runtime_fd, "objects", 0700);
    if (made != 0 && made != -EEXIST)
        return refuse(why, HP_SNAPSHOT, "make %s/objects: %s", runtime, sys_error(-made));
    if (made == 0)
        sys_fchmodat(runtime_fd, "objects", 0700); /* the program's umask has removed bits */
    fd = sys_openat(runtime_fd, "objects", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd == -ENOENT)
        return fd;
    if (fd < 0)
        return refuse(why, HP_SNAPSHOT, "open %s/objects: %s", runtime, sys_error(-fd));
    if (sys_fstat(fd, &st) != 0 || (st.st_uid != sys_geteuid() && st.st_uid != 0) ||
        (st.st_mode & (S_IWGRP | S_IWOTH))) {
        sys_close(fd);
        return refuse(why, HP_SNAPSHOT, "use %s/objects: others can write in it", runtime);
    }
    snprintf(objects_path, sizeof(objects_path), "%s/objects", runtime);
    return fd;
}

/* Return whether the copy exists. Only this user writes in the directory, and files get their name when they are
 * complete. So a file of the right name and size has the content that its name says. */
static bool exists_whole(int directory, const char *name, size_t size)
{
    struct stat st;

    return sys_fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (st.st_uid == sys_geteuid() || st.st_uid == 0) && (size_t)st.st_size == size &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int write_whole(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = sys_write_quietly(fd, bytes, size);

        if (n == -EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Make a temporary file that is named after the process id. Processes of other pid namespaces may have the same process
 * id, and write into the same directory. */
static int make_temporary(int directory, char *name, size_t size)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = -EEXIST;

    for (unsigned i = 0; fd == -EEXIST && i < TEMPORARY_MAX; i++) {
        snprintf(name, size, ".%d-%u.part", (int)shim()->pid(), i);
        fd = sys_openat(directory, name, flags, 0500);
    }
    return fd;
}

/* Write the file. Return 0; -ENOENT if the directory was removed meanwhile; or -1 with the refusal. */
static int write_file(int directory, const char *name, const void *bytes, size_t size,
                      struct refusal *why)
{
    char temporary[64];
    int fd = make_temporary(directory, temporary, sizeof(temporary)), result;

    if (fd == -ENOENT)
        return fd;
    if (fd < 0)
        return refuse(why, HP_SNAPSHOT, "create %s/%s: %s", objects_path, temporary,
                      sys_error(-fd));
    result = sys_fchmod(fd, 0500); /* the program's umask has removed bits */
    if (result == 0)
        result = write_whole(fd, bytes, size);
    sys_close(fd);
    if (result == 0)
        result = sys_renameat(directory, temporary, directory, name);
    if (result == 0 || result == -ENOENT)
        return result;
    sys_unlinkat(directory, temporary, 0);
    return refuse(why, HP_SNAPSHOT, "write %s/%s: %s", objects_path, name, sys_error(-result));
}

static bool refuses_execution(int directory)
{
    struct statfs fs;

    return sys_call3(SYS_fstatfs, directory, (long)&fs, 0) == 0 && (fs.f_flags & ST_NOEXEC);
}

/* Make the copy. Return 0; -ENOENT if the directory was removed meanwhile; -EACCES if the file system refuses
 * execution; or -1 with the refusal. */
static int copy_to_objects(const char *name, const void *bytes, size_t size, bool *made,
                           struct refusal *why)
{
    int directory = open_objects(why), result = 0;

    if (directory < 0)
        return directory;
    if (refuses_execution(directory)) {
        result = -EACCES;
    } else if (!exists_whole(directory, name, size)) {
        result = write_file(directory, name, bytes, size, why);
        *made = result == 0;
    }
    sys_close(directory);
    return result;
}

char *snapshot_make(const char *sha256, const void *bytes, size_t size, bool *made,
                    struct refusal *why)
{
    static unsigned number;
    char name[96], *path;
    int result;

    *made = false;
    snprintf(name, sizeof(name), "%s-%u.so", sha256, ++number);
    result = copy_to_objects(name, bytes, size, made, why);
    if (result == -1)
        return NULL;
    path = text_format("%s/%s", result == 0 ? objects_path : "memfd", name);
    if (!path)
        refuse(why, HP_MEMORY, "copy the patch: no memory for its name");
    return path;
}

static int memory_file(const void *bytes, size_t size)
{
    int fd = sys_memfd_create("hotpatch", MFD_CLOEXEC);

    if (fd >= 0 && write_whole(fd, bytes, size) != 0) {
        sys_close(fd);
        return -ENOSPC;
    }
    return fd;
}

char *snapshot_bring(const void *bytes, size_t size, struct refusal *why)
{
    int fd = memory_file(bytes, size), brought;
    char what[32], name[PATH_MAX] = "";

    if (fd < 0) {
        refuse(why, HP_SNAPSHOT, "copy the patch: %s", sys_error(-fd));
        return NULL;
    }
    snprintf(what, sizeof(what), "copy %d", fd);
    brought = shim()->outside(what, name, sizeof(name));
    sys_close(fd);
    if (brought < 0) {
        refuse(why, HP_CHROOT, "copy the patch: %s", *name ? name : "the command did not bring it");
        return NULL;
    }
    sys_close(brought);
    return text_copy(name);
}

void snapshot_remove(const char *path)
{
    if (path[0] == '/')
        sys_unlinkat(AT_FDCWD, path, 0);
}

void snapshot_cut(const char *path, size_t size)
{
    struct stat st;
    int fd;

    /* the copy is read-only, for its owner too */
    if (path[0] != '/' || sys_fchmodat(AT_FDCWD, path, 0700) != 0)
        return;
    fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd >= 0) {
        if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size > size)
            sys_ftruncate(fd, (off_t)size);
        sys_fchmod(fd, 0500);
        sys_close(fd);
    } else {
        sys_fchmodat(AT_FDCWD, path, 0500);
    }
}

int snapshot_memfd(const void *bytes, size_t size, char *name, size_t name_size)
{
    static unsigned number;
    int fd = memory_file(bytes, size);
    size_t length;

    if (fd < 0)
        return fd;
    /* Make a new name for each load: "/." is added for every set bit of the count. */
    length = (size_t)snprintf(name, name_size, "/proc/thread-self/fd");
    for (unsigned bits = ++number; bits && length + 24 < name_size; bits >>= 1)
        length += (size_t)snprintf(name + length, name_size - length, bits & 1 ? "/." : "/");
    snprintf(name + length, name_size - length, "/%d", fd);
    return fd;
}
