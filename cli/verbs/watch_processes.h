/* watch_processes.h - the processes that hotpatch watch patches, and what each of them has. */
#ifndef HOTPATCH_WATCH_PROCESSES_H
#define HOTPATCH_WATCH_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/process/proc_facts.h"
#include "cli/verbs/watch_binaries.h"
#include "cli/verbs/watch_report.h"

/* One binary in one process. */
struct watch_part {
    struct watch_binary *binary;
    unsigned loaded; /* version of its patch there; 0: none */
};

struct watch_process {
    struct process process;
    int end; /* pidfd; -1: there is none */
    struct watch_part *parts;
    size_t part_count;
    int claim;   /* watch_claim.h; -1: none */
    bool shared; /* that another watch has it was said */
    bool lost;   /* it did not answer: tried again at the next save */
};

struct watch_processes {
    struct watch_binaries *binaries;
    const struct watch_report *report;
    const char *target; /* "123" or "@app" */
    struct watch_process *list;
    size_t count;
    uint64_t next;         /* ms: the next look for processes of @NAME */
    uint64_t next_library; /* ms: the next look for libraries */
    bool said;             /* that a process is waited for */
    bool
        silent; /* the end of a process is not reported: it is the program's, whose terminal this is */
};

/* Find the processes, and open what they have mapped. Return 0, or -1 with the refusal. */
int watch_processes_begin(struct watch_processes *processes, struct watch_binaries *binaries,
                          const char *target, const struct watch_report *report,
                          struct refusal *why);
void watch_processes_end(struct watch_processes *processes);

/* Drop those that have ended, and say so. Return whether the watch goes on: there is a process, or one of @NAME may
 * come. */
bool watch_processes_drop(struct watch_processes *processes);
/* Say, once for each process, that another watch has the process, too. */
void watch_processes_others(struct watch_processes *processes);
/* Look for new processes of @NAME, if it is time. Return whether one was found. */
bool watch_processes_join(struct watch_processes *processes);
/* Look for libraries of the sources that the processes have opened meanwhile (dlopen), if it is time and the compile
 * commands have sources of none that is known. Return the name of one that was found, or NULL. */
const char *watch_processes_library(struct watch_processes *processes);
/* Find libraries that the processes have loaded meanwhile. */
void watch_processes_refresh(struct watch_processes *processes);
/* Return the time of the next look; UINT64_MAX: none. */
uint64_t watch_processes_next(const struct watch_processes *processes);

/* Return whether a process has the binary. */
bool watch_processes_use(const struct watch_processes *processes,
                         const struct watch_binary *binary);

#endif
