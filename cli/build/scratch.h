/*
 * scratch.h - a directory of mode 0700 for what is made on the way, which no end of the command leaves behind.
 *
 * A child process, the sweeper, waits for the end of the command: it removes the directory where the command did not, because a
 * signal, SIGKILL too, has ended it. Compilers run in its process group: those that still run then are ended first.
 */
#ifndef HOTPATCH_SCRATCH_H
#define HOTPATCH_SCRATCH_H

#include <sys/types.h>

#include "base/refusal.h"
#include "cli/build/rights.h"

struct scratch {
    char *path;    /* without symbolic links; NULL: none */
    int life;      /* a pipe whose end the sweeper waits for */
    pid_t sweeper; /* also the process group of compilers */
};

/* Make a directory of the owner's under $TMPDIR; without that variable under /dev/shm if it is in memory and has room, else
 * under /tmp. Return 0, or -1 with HP-OPEN. */
int scratch_make(struct scratch *scratch, const struct build_owner *owner, struct refusal *why);
/* Remove the directory and all in it. */
void scratch_remove(struct scratch *scratch, const struct build_owner *owner);

#endif
