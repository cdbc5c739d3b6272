/*
 * preload_check.h - can a program be started with the library, and if not, why? Said in words before
 * the dynamic linker silently ignores LD_PRELOAD.
 */
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

/* As execvp(3) would find `program`. 0, or -1: HP-NO-PROGRAM, HP-STATIC, HP-SETUID, HP-32BIT,
 * HP-MUSL; of a script its interpreter's, and HP-SCRIPT after it. */
int preload_check(const char *program, struct verdict *verdict, struct refusal *why);

#endif
