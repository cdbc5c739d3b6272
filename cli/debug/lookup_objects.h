/*
 * lookup_objects.h - the objects whose functions are looked up: those of a process, or a file.
 *
 * An object is read once, whichever and however many processes have it mapped.
 */
#ifndef HOTPATCH_LOOKUP_OBJECTS_H
#define HOTPATCH_LOOKUP_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/debug/debug_info.h"
#include "cli/debug/self_calls.h"
#include "cli/process/proc_facts.h"

struct lookup_object {
    char *path;
    uint64_t device, inode;
    struct debug_info *info;       /* NULL: it cannot be read, or is no ELF file */
    struct self_calls *self_calls; /* read when first asked for */
    bool self_calls_tried;
};

struct lookup {
    struct debug_files given;
    struct lookup_object **objects; /* all that were ever met */
    size_t object_count;
    struct lookup_object **mapped; /* those of the process, the program first where `has_program` */
    size_t mapped_count;
    bool has_program;
};

/* `debug_paths` (of --debug) are the caller's. NULL with the refusal. */
struct lookup *lookup_open(const char *const *debug_paths, size_t count, struct refusal *why);
void lookup_close(struct lookup *lookup); /* NULL is allowed */

/* Begins to look at a process's objects; for the targets that follow. True: they are those that were
 * looked at before, so that the same is found. */
bool lookup_process(struct lookup *lookup, const struct process *process);
/* Or at a file alone. */
void lookup_file(struct lookup *lookup, const char *path);

/* A --debug file that belongs to no object that any process so far has: HP-BUILD-ID, -1. */
int lookup_debug_files_fit(struct lookup *lookup, struct refusal *why);

#endif
