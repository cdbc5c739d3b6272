/*
 * process_targets.h - the processes that a TARGET of the command line means: a PID or @NAME.
 */
#ifndef HOTPATCH_PROCESS_TARGETS_H
#define HOTPATCH_PROCESS_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"
#include "cli/process/proc_facts.h"

struct process_targets {
    struct process *list;
    size_t count;
    const char *group; /* the text "@NAME" where there may be several; else NULL */
};

/* Return whether `text` is neither a PID nor @NAME. A file whose name is a number is spelled ./123. */
bool process_target_is_file(const char *text);
/* Return the path of that file, malloc'd. A name without a slash is a file here before it is a program in PATH. */
char *process_target_path(const char *text);

/* Find the processes. Return 0, or -1 with HP-USAGE, HP-NO-PROCESS or HP-PERMISSION. Call process_targets_close() in
 * either case. */
int process_targets_find(const char *text, struct process_targets *targets, struct refusal *why);
void process_targets_close(struct process_targets *targets);

/* Return every process that has the shim, or whose mappings this user may not read (no `shim`), by rising PID. */
struct process *shim_processes_find(size_t *count);

#endif
