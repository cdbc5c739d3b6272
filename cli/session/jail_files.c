/* jail_files.c - see jail_files.h. */
#include "cli/session/jail_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/open_resolved.h"
#include "cli/session/handover.h"

#define NAME_PREFIX ".hotpatch-"
#define TRIES 5

struct jail_files {
    int root;      /* the process's root directory */
    int directory; /* in it */
    char *path;    /* "/.hotpatch-ID" */
    int keeper;    /* the other process removes all when this end of a pipe is closed */
    pid_t keeper_pid;
};

static int open_in_jail(int root, const char *path, int flags)
{
    return open_resolved(root, path, flags,
                         RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int open_root(const struct process *process)
{
    int root = process_file_open(process->view, "root", O_PATH | O_DIRECTORY), fd = -1;

    if (root >= 0) {
        fd = open_in_jail(root, "/", O_DIRECTORY);
        close(root);
    }
    return fd;
}

static int check_root(int root, const struct process *process, struct refusal *why)
{
    struct statvfs vfs;
    struct stat st;

    if (fstatvfs(root, &vfs) != 0 || fstat(root, &st) != 0)
        return refuse(why, HP_CHROOT, "the root directory of process %d cannot be examined",
                      process->pid);
    if (vfs.f_flag & ST_RDONLY)
        return refuse(why, HP_CHROOT, "the root directory of process %d is read-only",
                      process->pid);
    if (vfs.f_flag & ST_NOEXEC)
        return refuse(why, HP_CHROOT,
                      "the root directory of process %d is mounted without the right to execute",
                      process->pid);
    /* Who may rename there may put another directory in the place of the command's. */
    if ((st.st_uid != 0 && st.st_uid != process->euid) ||
        ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)))
        return refuse(why, HP_CHROOT, "others can write to the root directory of process %d",
                      process->pid);
    return 0;
}

static void jail_directory_empty(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    while (list && (entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(directory, entry->d_name, 0);
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}

/* Return whether root owns the directory. Another owner may give any of root's directories one of these names. */
static bool is_roots(int root)
{
    struct stat st;

    return fstat(root, &st) == 0 && st.st_uid == geteuid();
}

/* Remove what commands left behind whose keeper was killed: no process holds its lock. */
static void remove_left(int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    while (list && (entry = readdir(list))) {
        struct stat st;
        int left;

        if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0)
            continue;
        left = open_in_jail(root, entry->d_name, O_DIRECTORY | O_NOFOLLOW);
        if (left >= 0 && fstat(left, &st) == 0 && st.st_uid == geteuid() &&
            flock(left, LOCK_EX | LOCK_NB) == 0) {
            jail_directory_empty(left);
            unlinkat(root, entry->d_name, AT_REMOVEDIR);
        }
        if (left >= 0)
            close(left);
    }
    if (list)
        closedir(list);
}

/* The directory that the command has made. The keeper reads it from a pipe before files are put there. */
struct directory_identity {
    dev_t device;
    ino_t inode;
};

/* Remove the directory with its files. The owner of the root directory may have put another of root's directories
 * in its place. */
static void remove_directory(int root, const char *name, const struct directory_identity *made)
{
    int directory = open_in_jail(root, name, O_DIRECTORY | O_NOFOLLOW);
    struct stat st;

    if (directory < 0)
        return;
    if (fstat(directory, &st) == 0 && st.st_dev == made->device && st.st_ino == made->inode)
        jail_directory_empty(directory);
    unlinkat(root, name, AT_REMOVEDIR); /* of no directory that holds something */
    close(directory);
}

static void keeper_run(const struct jail_files *files, int end)
{
    struct directory_identity made = {0}, told;
    ssize_t n;

    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    while ((n = read(end, &told, sizeof(told))) != 0)
        if (n == sizeof(told))
            made = told;
    remove_directory(files->root, files->path + 1, &made);
    _exit(0);
}

/* Close all other descriptors: no terminal and no pipe of the caller or of another keeper stays open. */
static void close_all_but(int kept)
{
    syscall(SYS_close_range, 1, kept - 1, 0);
    syscall(SYS_close_range, kept + 1, ~0U, 0);
}

/* Start the process that waits for the end of this one and then removes the directory. */
static int start_keeper(struct jail_files *files)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    files->keeper_pid = fork();
    if (files->keeper_pid == 0) {
        dup2(ends[0], 0);
        close_all_but(files->root);
        keeper_run(files, 0);
    }
    close(ends[0]);
    files->keeper = ends[1];
    return files->keeper_pid > 0 ? 0 : -1;
}

static bool is_still_there(const struct jail_files *files)
{
    struct stat named, st;

    return fstatat(files->root, files->path + 1, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(files->directory, &st) == 0 && st.st_ino == named.st_ino &&
           st.st_dev == named.st_dev && st.st_uid == geteuid();
}

/* Let the process read there, whatever this command's umask is. */
static int open_to_all(struct jail_files *files)
{
    struct directory_identity made;
    struct stat st;

    if (fstat(files->directory, &st) != 0)
        return -1;
    made = (struct directory_identity){st.st_dev, st.st_ino};
    if (write(files->keeper, &made, sizeof(made)) != sizeof(made))
        return -1;
    return fchmod(files->directory, 0755);
}

/* Make the directory and lock it. Before it is locked another command may take it for one that was left behind. */
static int jail_directory_make(struct jail_files *files)
{
    const char *name = files->path + 1;

    for (int i = 0; i < TRIES; i++) {
        if (mkdirat(files->root, name, 0700) != 0 && (i == 0 || errno != EEXIST))
            return -1;
        files->directory = open_in_jail(files->root, name, O_DIRECTORY | O_NOFOLLOW);
        if (files->directory >= 0 && flock(files->directory, LOCK_EX | LOCK_NB) == 0 &&
            is_still_there(files))
            return open_to_all(files);
        if (files->directory >= 0)
            close(files->directory);
        files->directory = -1;
    }
    errno = EBUSY;
    return -1;
}

struct jail_files *jail_files_make(const struct process *process, const char *id,
                                   struct refusal *why)
{
    struct jail_files *files = allocate(sizeof(*files));

    *files = (struct jail_files){.root = open_root(process), .directory = -1, .keeper = -1};
    files->path = format_text("/" NAME_PREFIX "%s", id);
    if (files->root < 0)
        refuse(why, HP_CHROOT, "open the root directory of process %d: %s", process->pid,
               strerror(errno));
    else if (check_root(files->root, process, why) == 0) {
        if (is_roots(files->root))
            remove_left(files->root);
        if (start_keeper(files) == 0 && jail_directory_make(files) == 0)
            return files;
        refuse(why, HP_CHROOT, "make a directory in the root directory of process %d: %s",
               process->pid, strerror(errno));
    }
    jail_files_remove(files);
    return NULL;
}

int jail_files_directory(const struct jail_files *files)
{
    return files->directory;
}

const char *jail_files_path(const struct jail_files *files)
{
    return files->path;
}

int jail_files_copy(struct jail_files *files, const char *source, const char *name,
                    struct refusal *why)
{
    int from = patch_source_open(source, why), to, result = -1;

    if (from < 0)
        return -1;
    to = openat(files->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (to >= 0 && copy_bytes(from, to) == 0 && fchmod(to, 0555) == 0)
        result = openat(files->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (result < 0)
        refuse(why, HP_CHROOT, "copy %s to the process's root directory: %s", source,
               strerror(errno));
    if (to >= 0)
        close(to);
    close(from);
    return result;
}

void jail_files_remove(struct jail_files *files)
{
    if (!files)
        return;
    if (files->keeper >= 0)
        close(files->keeper);
    while (files->keeper_pid > 0 && waitpid(files->keeper_pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (files->directory >= 0)
        close(files->directory);
    if (files->root >= 0)
        close(files->root);
    free(files->path);
    free(files);
}
