/*
 * watch_round.h - makes the present sources live in all watched processes: builds the patches, loads or reverts them,
 * and reports.
 */
#ifndef HOTPATCH_WATCH_ROUND_H
#define HOTPATCH_WATCH_ROUND_H

#include <stdbool.h>

#include "cli/verbs/watch_files.h"
#include "cli/verbs/watch_processes.h"

struct watch_round {
    struct watch_binaries *binaries;
    struct watch_processes *processes;
    struct watch_files *files;
    const struct watch_report *report;
};

/* What became of a round. */
enum round_end {
    ROUND_DONE,  /* nothing was loaded */
    ROUND_LIVE,  /* new code is live */
    ROUND_STALE, /* sources changed meanwhile: nothing was loaded, run it again */
};

/* Make the saves live that watch_files_changed() has reported, in all processes, new ones too. `last`: also if
 * sources change meanwhile. */
enum round_end watch_round_run(const struct watch_round *round, bool last);
/* Revert the patches in all processes. */
void watch_round_revert(const struct watch_round *round);

#endif
