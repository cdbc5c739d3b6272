/* preload_check.h - whether a program can be started with the library. The dynamic linker would ignore LD_PRELOAD
 * without a message. */
#ifndef HOTPATCH_PRELOAD_CHECK_H
#define HOTPATCH_PRELOAD_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"

struct verdict {
    char path[PATH_MAX];        /* the file that is run, found in PATH */
    char interpreter[PATH_MAX]; /* of a script: the program that runs it; "" for a binary */
    char linker[PATH_MAX];      /* the dynamic linker; "" where the program cannot be read */
};

/* Check `program`, which is found as by execvp(3). Return 0, or -1 with HP-NO-PROGRAM, HP-STATIC, HP-SETUID,
 * HP-32BIT or HP-MUSL; of a script with that of its interpreter and then HP-SCRIPT. */
int preload_check(const char *program, struct verdict *verdict, struct refusal *why);

#endif
