/*
 * jail_files.h - files that the command puts into a process's root directory for the time of a load: the
 * engine with its libraries, and patches.
 *
 * All lie in one directory of a new name, which root owns and others cannot write to. A process of this
 * command's removes them, when it is told to or the command has ended.
 */
#ifndef HOTPATCH_JAIL_FILES_H
#define HOTPATCH_JAIL_FILES_H

#include "base/refusal.h"
#include "cli/process/proc_facts.h"

struct jail_files;

/* Make the directory. Return NULL with HP-CHROOT. */
struct jail_files *jail_files_make(const struct process *process, const char *id,
                                   struct refusal *why);
int jail_files_directory(const struct jail_files *files);    /* the directory's descriptor */
const char *jail_files_path(const struct jail_files *files); /* as the process sees it */
/* Copy the file at `source` there as `name`. Return the copy, open for reading, or -1 with the refusal. */
int jail_files_copy(struct jail_files *files, const char *source, const char *name,
                    struct refusal *why);
/* Remove all files and wait until that is done. NULL is allowed. */
void jail_files_remove(struct jail_files *files);

#endif
