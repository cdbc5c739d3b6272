/*
 * targets.h - what a TARGET on the command line means: a PID, @NAME or a file.
 */
#ifndef HOTPATCH_TARGETS_H
#define HOTPATCH_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"
#include "cli/process/proc_facts.h"

struct targets {
    struct process *list;
    size_t count;
    const char *group; /* the text "@NAME" where there may be several; else NULL */
};

/* Neither a PID nor @NAME. A file whose name is a number is spelled ./123. */
bool target_is_file(const char *text);
/* Its path, malloc'd: a name without a slash is a file here before it is a program in PATH. */
char *target_file(const char *text);

/* 0, or -1: HP-USAGE, HP-NO-PROCESS, HP-PERMISSION. Close with targets_close() in either case. */
int targets_find(const char *text, struct targets *targets, struct refusal *why);
void targets_close(struct targets *targets);

/* Every process that has the shim, or whose mappings this user may not read (no `shim`), by rising PID. */
struct process *possible_find(size_t *count);

#endif
