/* scratch.c - see scratch.h. */
#include "cli/build/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/build/paths.h"
#include "cli/output/output.h"

#define SCRATCH_ROOM ((uint64_t)1 << 30) /* bytes that have to be free in memory */
#define SWEEPS 20 /* a compiler that has not ended yet may make files between two */

static int remove_file(const char *path, const struct stat *facts, int flag, struct FTW *place)
{
    (void)facts;
    (void)flag;
    (void)place;
    remove(path);
    return 0;
}

static bool remove_tree(const char *path)
{
    nftw(path, remove_file, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return access(path, F_OK) != 0 && errno == ENOENT;
}

/* Wait until no process has the other end of `life`. Keeps no descriptor of the command's, since those who read its output wait
 * for their end. */
static _Noreturn void sweep(const char *path, int life, const struct build_owner *owner)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    char byte;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    if (dup2(life, 0) != 0)
        _exit(1);
    close_range(1, ~0U, 0);
    if (owner_become(owner) != 0 || chdir("/") != 0)
        _exit(1);
    while (read(0, &byte, 1) < 0 && errno == EINTR)
        ;
    if (getpgrp() == getpid())
        kill(0, SIGTERM); /* which this process ignores */
    for (int i = 0; i < SWEEPS && !remove_tree(path); i++)
        usleep(50000);
    if (getpgrp() == getpid())
        kill(0, SIGKILL);
    _exit(0);
}

static int start_sweeper(struct scratch *scratch, const struct build_owner *owner,
                         struct refusal *why)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return refuse(why, HP_OPEN, "make a pipe: %s", strerror(errno));
    scratch->sweeper = fork();
    if (scratch->sweeper == 0) {
        close(ends[1]);
        setpgid(0, 0);
        sweep(scratch->path, ends[0], owner);
    }
    if (scratch->sweeper > 0)
        setpgid(scratch->sweeper, scratch->sweeper);
    close(ends[0]);
    scratch->life = ends[1];
    if (scratch->sweeper < 0) {
        close(ends[1]);
        return refuse(why, HP_OPEN, "fork: %s", strerror(errno));
    }
    return 0;
}

/* Return where the directory is made. A file system in memory makes the hundreds of links of a view in no time. */
static const char *scratch_parent(void)
{
    static const char memory[] = "/dev/shm";
    const char *temporary = getenv("TMPDIR");
    struct statfs facts;

    if (temporary && *temporary == '/')
        return temporary;
    if (statfs(memory, &facts) == 0 && facts.f_type == TMPFS_MAGIC &&
        facts.f_bavail > SCRATCH_ROOM / (uint64_t)facts.f_bsize && access(memory, W_OK) == 0)
        return memory;
    return "/tmp";
}

int scratch_make(struct scratch *scratch, const struct build_owner *owner, struct refusal *why)
{
    char *above = path_real(scratch_parent());
    int result = 0;

    memset(scratch, 0, sizeof(*scratch));
    owner_enter(owner);
    scratch->path = format_text("%s/hotpatch-build-XXXXXX", strcmp(above, "/") ? above : "");
    if (!mkdtemp(scratch->path)) {
        result = refuse(why, HP_OPEN, "make a directory in %s: %s", above, strerror(errno));
        free(scratch->path);
        scratch->path = NULL;
    } else if (start_sweeper(scratch, owner, why) != 0) {
        remove_tree(scratch->path);
        free(scratch->path);
        scratch->path = NULL;
        result = -1;
    }
    owner_leave(owner);
    free(above);
    return result;
}

void scratch_remove(struct scratch *scratch, const struct build_owner *owner)
{
    if (!scratch->path)
        return;
    owner_enter(owner);
    remove_tree(scratch->path);
    owner_leave(owner);
    close(scratch->life);
    while (waitpid(scratch->sweeper, NULL, 0) < 0 && errno == EINTR)
        ;
    free(scratch->path);
    memset(scratch, 0, sizeof(*scratch));
}
