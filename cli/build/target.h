/*
 * target.h - the binary that an edit is built for, and which sources it comes from.
 */
#ifndef HOTPATCH_TARGET_H
#define HOTPATCH_TARGET_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/refusal.h"
#include "cli/debug/unit_names.h"
#include "elf/binary.h"

struct units;

struct build_target {
    char *path; /* as it was given: what is opened, and compared with what was opened */
    char *name; /* for messages and the patch: the path of the file, without links of /proc */
    struct binary *binary;
    struct stat facts;       /* of the file when it was opened */
    struct unit_names names; /* of its debug information */
};

/* Open the binary; `debug`: a file with its symbols, or NULL. Return 0, or -1: HP-OPEN, HP-NO-SYMBOLS, HP-NOT-ELF... */
int target_open(struct build_target *target, const char *path, const char *debug,
                struct refusal *why);
void target_close(struct build_target *target);
/* Return whether the file is another one than the one that was opened. */
bool target_changed(const struct build_target *target);

/* Mark the units that the target cannot come from as strangers: its symbol table lacks the name of the source, or its debug
 * information names another file of that name. */
void target_mark_strangers(const struct build_target *target, struct units *units);

#endif
