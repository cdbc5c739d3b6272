/* runtime_dirs.c - see runtime_dirs.h. */
#include "cli/process/runtime_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/open_resolved.h"

#define CANDIDATES_MAX 16

/* Open a directory as the process itself does: links above it are followed, in the process's root. The caller
 * checks owner and mode of what was opened. */
static int directory_open(int root, const char *path, int flags)
{
    return open_resolved(root, path, O_DIRECTORY | flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Open the runtime directory. It is no link itself; a slash after its name would lead through one. */
static int candidate_dir_open(int root, const char *path)
{
    char *bare = format_text("%s", path);
    int fd;

    for (size_t length = strlen(bare); length > 1 && bare[length - 1] == '/'; length--)
        bare[length - 1] = '\0';
    fd = directory_open(root, bare, O_NOFOLLOW);
    free(bare);
    return fd;
}

static void distrust(struct dir_candidate *candidate, const char *what)
{
    snprintf(candidate->why, sizeof(candidate->why), "%.200s %s", candidate->path, what);
    candidate->error = 0;
    close(candidate->fd);
    candidate->fd = -1;
}

void candidate_open_any(struct dir_candidate *candidate, int root)
{
    struct stat st;
    char text[96];

    candidate->fd = candidate_dir_open(root, candidate->path);
    if (candidate->fd < 0) {
        candidate->error = errno;
        snprintf(candidate->why, sizeof(candidate->why), "%.200s: %s", candidate->path,
                 candidate->error == ENOTDIR || candidate->error == ELOOP
                     ? "a link or a file is in its place"
                     : strerror(candidate->error));
        return;
    }
    if (fstat(candidate->fd, &st) != 0) {
        distrust(candidate, "cannot be examined");
        return;
    }
    candidate->owner = st.st_uid;
    candidate->mode = st.st_mode & 07777;
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        snprintf(text, sizeof(text), "has mode %04o: others can write to it", candidate->mode);
        distrust(candidate, text);
    }
}

static void candidate_open(struct dir_candidate *candidate, int root, uid_t euid)
{
    char text[96];

    candidate_open_any(candidate, root);
    if (candidate->fd < 0 || candidate->owner == euid || candidate->owner == 0)
        return;
    snprintf(text, sizeof(text), "belongs to user %u, not to the process's user %u or root",
             candidate->owner, euid);
    distrust(candidate, text);
}

struct candidate_search {
    const struct process *process;
    struct dir_candidate *list;
    size_t count;
    int root;      /* of the process, O_PATH; -1: not readable */
    bool own_root; /* where candidates are being added from */
};

/* Add `path`, which is freed unless it is added. NULL or a relative path is no candidate. */
static void candidate_add(struct candidate_search *search, char *path, const char *origin)
{
    struct dir_candidate *candidate;

    for (size_t i = 0; path && i < search->count; i++)
        if (strcmp(search->list[i].path, path) == 0 &&
            search->list[i].own_root == search->own_root) {
            free(path);
            return;
        }
    if (!path || path[0] != '/' || search->count == CANDIDATES_MAX) {
        free(path);
        return;
    }
    candidate = &search->list[search->count++];
    memset(candidate, 0, sizeof(*candidate));
    candidate->path = path;
    candidate->origin = origin;
    candidate->own_root = search->own_root;
    candidate_open(candidate, search->root, search->process->euid);
}

static char *copy_or_null(const char *text)
{
    return text ? format_text("%s", text) : NULL;
}

/* Return the directory in XDG_RUNTIME_DIR, which counts only where it belongs to the process's user; malloc'd or
 * NULL. */
static char *xdg_directory(struct candidate_search *search)
{
    char *xdg = process_environ(search->process, "XDG_RUNTIME_DIR");
    int fd = xdg && xdg[0] == '/' ? directory_open(search->root, xdg, 0) : -1;
    struct stat st;
    char *path = NULL;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == search->process->euid)
        path = format_text("%s/hotpatch", xdg);
    if (fd >= 0)
        close(fd);
    free(xdg);
    return path;
}

static void add_by_rule(struct candidate_search *search, uid_t euid)
{
    if (euid == 0) {
        candidate_add(search, copy_or_null("/run/hotpatch"), "the rule for root");
        return;
    }
    candidate_add(search, xdg_directory(search), "XDG_RUNTIME_DIR of the process");
    candidate_add(search, format_text("/run/user/%u/hotpatch", euid), "the rule for its user");
    candidate_add(search, format_text("/tmp/hotpatch-%u", euid), "the rule for its user");
}

static void add_all(struct candidate_search *search)
{
    candidate_add(search, copy_or_null(getenv("HOTPATCH_DIR")), "HOTPATCH_DIR of this command");
    candidate_add(search, process_environ(search->process, "HOTPATCH_DIR"),
                  "HOTPATCH_DIR of the process");
    add_by_rule(search, search->process->inner_euid);
    if (search->process->inner_euid != search->process->euid)
        add_by_rule(search, search->process->euid);
    /* Root that dropped to another user after the start may have kept its directory. */
    candidate_add(search, copy_or_null("/run/hotpatch"), "the rule for root");
}

struct dir_candidate *candidates_find(const struct process *process, size_t *count)
{
    struct candidate_search search = {process, NULL, 0, -1, false};

    search.list = allocate(CANDIDATES_MAX * sizeof(*search.list));
    search.root = process_file_open(process->view, "root", O_PATH | O_DIRECTORY);
    if (search.root >= 0) {
        add_all(&search);
        close(search.root);
    }
    /* A process that has chrooted since its start may have its FIFO outside its new root. */
    if (search.root < 0 || process->foreign_root) {
        search.own_root = true;
        search.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        add_all(&search);
        close(search.root);
    }
    *count = search.count;
    return search.list;
}

void candidates_free(struct dir_candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].fd >= 0)
            close(candidates[i].fd);
        free(candidates[i].path);
    }
    free(candidates);
}
