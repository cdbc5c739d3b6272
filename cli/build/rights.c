/* rights.c - see rights.h. */
#include "cli/build/rights.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/build/paths.h"
#include "cli/output/fatal.h"
#include "cli/output/output.h"

static unsigned nested;

void owner_is_caller(struct build_owner *owner)
{
    *owner = (struct build_owner){.uid = geteuid(), .gid = getegid()};
}

/* Return whether the group has no member but the owner, whose name it has: with such groups a umask of 002 is usual. */
static bool is_private_group(uid_t uid, gid_t gid)
{
    struct passwd *user = getpwuid(uid);
    struct group *group = getgrgid(gid);

    if (!user || !group || user->pw_gid != gid || strcmp(user->pw_name, group->gr_name) != 0)
        return false;
    for (char **member = group->gr_mem; *member; member++)
        if (strcmp(*member, user->pw_name) != 0)
            return false;
    return true;
}

/* Return why the file or directory is not safe, or NULL. `above`: it is a directory above the one that matters; there a sticky
 * bit keeps others from exchanging what is not theirs. */
static const char *unsafe(const struct build_owner *owner, const struct stat *facts, bool above)
{
    if (facts->st_uid != 0 && facts->st_uid != owner->uid)
        return "belongs to another user";
    if (above && (facts->st_mode & S_ISVTX))
        return NULL;
    if ((facts->st_mode & S_IWOTH) ||
        ((facts->st_mode & S_IWGRP) && !is_private_group(facts->st_uid, facts->st_gid)))
        return "can be written by other users";
    return NULL;
}

/* Check the directory and all above it. */
static int check_directory_path(const struct build_owner *owner, const char *directory,
                                struct refusal *why)
{
    char *path = path_real(directory);
    bool above = false;
    int result = 0;

    for (;;) {
        struct stat facts;
        const char *problem = NULL;
        char *next;

        if (stat(path, &facts) != 0)
            result = refuse(why, HP_COMMANDS, "look at %s: %s", path, strerror(errno));
        else
            problem = unsafe(owner, &facts, above);
        if (problem)
            result = refuse(why, HP_COMMANDS, "%s %s", path, problem);
        if (result != 0 || strcmp(path, "/") == 0)
            break;
        next = path_directory(path);
        free(path);
        path = next;
        above = true;
    }
    free(path);
    return result;
}

int owner_of_build(const char *build_dir, struct build_owner *owner, struct refusal *why)
{
    struct stat facts;
    uid_t user = geteuid();

    owner_is_caller(owner);
    if (stat(build_dir, &facts) != 0)
        return refuse(why, HP_COMMANDS, "open the build directory %s: %s", build_dir,
                      strerror(errno));
    if (!S_ISDIR(facts.st_mode))
        return refuse(why, HP_COMMANDS, "%s is no directory", build_dir);
    if (user == 0 && facts.st_uid != 0) {
        struct passwd *entry = getpwuid(facts.st_uid);

        *owner = (struct build_owner){
            .uid = facts.st_uid, .gid = entry ? entry->pw_gid : facts.st_gid, .other = true};
    }
    return check_directory_path(owner, build_dir, why);
}

char *owner_check_file(const struct build_owner *owner, const char *file, struct refusal *why)
{
    char *real = path_real(file), *directory = path_directory(real);
    const char *problem = NULL;
    struct stat facts;
    int result = 0;

    if (stat(real, &facts) != 0)
        result = refuse(why, HP_COMMANDS, "open %s: %s", file, strerror(errno));
    else if (!S_ISREG(facts.st_mode))
        problem = "is no regular file";
    else
        problem = unsafe(owner, &facts, false);
    if (problem)
        result = refuse(why, HP_COMMANDS, "%s %s", file, problem);
    if (result == 0)
        result = check_directory_path(owner, directory, why);
    free(directory);
    if (result != 0) {
        free(real);
        real = NULL;
    }
    return real;
}

static void take_groups(const struct build_owner *owner)
{
    struct passwd *entry = getpwuid(owner->uid);

    if (entry ? initgroups(entry->pw_name, owner->gid) : setgroups(1, &owner->gid))
        fatal(HP_COMMANDS, "the groups of the build directory's owner cannot be taken");
}

void owner_enter(const struct build_owner *owner)
{
    if (!owner->other || nested++)
        return;
    take_groups(owner);
    if (setegid(owner->gid) != 0 || seteuid(owner->uid) != 0)
        fatal(HP_COMMANDS, "the rights of the build directory's owner cannot be taken");
}

void owner_leave(const struct build_owner *owner)
{
    if (!owner->other || --nested)
        return;
    if (seteuid(0) != 0 || setegid(0) != 0 || setgroups(0, NULL) != 0)
        fatal(HP_COMMANDS, "the rights of root cannot be taken back");
}

int owner_become(const struct build_owner *owner)
{
    if (!owner->other)
        return 0;
    if (seteuid(0) != 0)
        return -1;
    take_groups(owner);
    return setresgid(owner->gid, owner->gid, owner->gid) != 0 ||
                   setresuid(owner->uid, owner->uid, owner->uid) != 0
               ? -1
               : 0;
}
