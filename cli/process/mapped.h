/*
 * mapped.h - the object files that a process has mapped with code in them, by /proc/PID/maps.
 */
#ifndef HOTPATCH_MAPPED_H
#define HOTPATCH_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/process/proc_facts.h"

struct mapped_object {
    char *path; /* as the process sees it */
    bool is_program;
    uint64_t device, inode; /* as maps says: they tell objects apart, fstat(2) may say others */
};

struct mapped {
    struct mapped_object *list; /* the program first */
    size_t count;
};

/* Read the objects of the process. There are none where maps cannot be read. */
void mapped_read(const struct process *process, struct mapped *mapped);
void mapped_free(struct mapped *mapped);

/* Open the process's root directory with O_PATH. Return -1 where that is not possible. */
int mapped_root(const struct process *process);

/* Open the file as the process sees it, for reading. Return -1 where it is gone. The caller compares its build-id
 * with the process's: by now it may be another file. */
int mapped_open(const struct process *process, const struct mapped_object *object);

#endif
