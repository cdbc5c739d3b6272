/*
 * rights.h - with whose rights the user's files are read and compilers run, and whose command files are obeyed.
 *
 * A compile command is a program of its author's choice. It runs with the rights of the owner of the build directory, or not
 * at all.
 */
#ifndef HOTPATCH_BUILD_RIGHTS_H
#define HOTPATCH_BUILD_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"

struct build_owner {
    uid_t uid;
    gid_t gid;
    bool other; /* than the effective user, which is root */
};

/* Find out who owns the build directory. Refuse HP-COMMANDS where the effective user is neither root nor that owner nor the
 * directory root's, or where others can write to it or exchange it. */
int owner_of_build(const char *build_dir, struct build_owner *owner, struct refusal *why);
/* The owner of what the user names on the command line: the effective user. */
void owner_is_caller(struct build_owner *owner);

/* Check that `file` (absolute) belongs to root or the owner, and that no other user can write to it, or to its directory. Return
 * the path that was checked, malloc'd, which has no symbolic link that others may exchange before the file is opened; or NULL. */
char *owner_check_file(const struct build_owner *owner, const char *file, struct refusal *why);

/* Take the owner's effective ids, and give them back: what the command reads between is what the owner can read. Calls may be
 * nested. Nothing is done unless `other`. */
void owner_enter(const struct build_owner *owner);
void owner_leave(const struct build_owner *owner);
/* In a child, before exec(3): be the owner for good. Return 0, or -1 with errno. */
int owner_become(const struct build_owner *owner);

#endif
