/*
 * watch_processes.c - see watch_processes.h.
 *
 * No event tells a user that another process was started (proc_events(7) needs root), so processes of @NAME are
 * looked for.
 */
#include "cli/verbs/watch_processes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/process/await_ready.h"
#include "cli/process/mapped.h"
#include "cli/process/process_targets.h"
#include "cli/verbs/watch_claim.h"

#define LOOK_MS 250      /* between two looks while there is a process */
#define LOOK_NONE_MS 100 /* while there is none */
#define LIBRARIES_MS 500 /* between two looks for libraries that processes have opened */

static void part_add(struct watch_process *watched, struct watch_binary *binary)
{
    for (size_t i = 0; i < watched->part_count; i++)
        if (watched->parts[i].binary == binary)
            return;
    watched->parts =
        reallocate(watched->parts, (watched->part_count + 1) * sizeof(*watched->parts));
    watched->parts[watched->part_count++] = (struct watch_part){.binary = binary};
}

/* Open what the process has mapped. Only what concerns its program is refused: most libraries are not the user's. */
static int parts_find(struct watch_processes *processes, struct watch_process *watched,
                      struct refusal *why)
{
    struct refusal ignored = {0};
    struct mapped mapped;

    mapped_read(&watched->process, &mapped);
    for (size_t i = 0; i < mapped.count; i++) {
        bool opened;
        struct watch_binary *binary =
            watch_binaries_find(processes->binaries, &watched->process, &mapped.list[i], &opened,
                                mapped.list[i].is_program ? why : &ignored);

        if (binary)
            part_add(watched, binary);
    }
    mapped_free(&mapped);
    refusal_clear(&ignored);
    if (watched->part_count) {
        refusal_clear(why); /* a library of the sources, in a program that is not */
        return 0;
    }
    return why->count
               ? -1
               : refuse(why, HP_SOURCE, "process %d has nothing that was built from the sources",
                        watched->process.pid);
}

static void watched_free(struct watch_process *watched)
{
    process_close(&watched->process);
    if (watched->end >= 0)
        close(watched->end);
    if (watched->claim >= 0)
        close(watched->claim);
    free(watched->parts);
}

static void say_other(const struct watch_processes *processes, pid_t pid, pid_t other)
{
    report_event(processes->report, "other_watch",
                 "process %d has another hotpatch watch, too (process %d): a save of either takes "
                 "out what the other made live",
                 pid, other);
}

static void claim_process(const struct watch_processes *processes, struct watch_process *watched)
{
    pid_t other;

    watched->claim = watch_claim(watched->process.pid, watched->process.start_time, &other);
    if (other)
        say_other(processes, watched->process.pid, other);
}

void watch_processes_others(struct watch_processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        struct watch_process *watched = &processes->list[i];
        pid_t other = watched->claim >= 0 ? watch_claim_other(watched->claim) : 0;

        if (other && !watched->shared)
            say_other(processes, watched->process.pid, other);
        watched->shared |= other != 0;
    }
}

/* Take over the process. Return 0, or -1 with the refusal: it stays in the list without parts, so that it is not
 * looked at again. */
static int watched_add(struct watch_processes *processes, struct process *process,
                       struct refusal *why)
{
    struct watch_process watched = {
        .process = *process, .end = pidfd_open(process->pid, 0), .claim = -1};

    memset(process, 0, sizeof(*process));
    if (!watched.process.shim)
        refuse(why, HP_NO_SHIM, "process %d (%s) was started without the library",
               watched.process.pid, process_name(&watched.process));
    if (why->count == 0)
        parts_find(processes, &watched, why);
    if (why->count == 0)
        claim_process(processes, &watched);
    processes->list =
        reallocate(processes->list, (processes->count + 1) * sizeof(*processes->list));
    processes->list[processes->count++] = watched;
    return why->count ? -1 : 0;
}

/* Return the number of processes that are patched. */
static size_t with_parts(const struct watch_processes *processes)
{
    size_t count = 0;

    for (size_t i = 0; i < processes->count; i++)
        count += processes->list[i].part_count > 0;
    return count;
}

/* Take over one of the processes. Of several, one that is refused is said, and the others are watched. */
static void begin_one(struct watch_processes *processes, struct process *process, bool only,
                      struct refusal *why)
{
    struct refusal its = {0};

    process_await_ready(process->pid);
    if (watched_add(processes, process, only ? why : &its) != 0 && !only)
        report_refused(processes->report, NULL, NULL, &its);
    refusal_clear(&its);
}

int watch_processes_begin(struct watch_processes *processes, struct watch_binaries *binaries,
                          const char *target, const struct watch_report *report,
                          struct refusal *why)
{
    struct process_targets targets;

    *processes = (struct watch_processes){.binaries = binaries, .report = report, .target = target};
    if (process_targets_find(target, &targets, why) == 0)
        for (size_t i = 0; i < targets.count; i++)
            begin_one(processes, &targets.list[i], targets.count == 1, why);
    process_targets_close(&targets);
    processes->next = now_ms() + LOOK_MS;
    if (with_parts(processes) == 0 && why->count == 0)
        refuse(why, HP_SOURCE, "no process of %s was built from the sources", target);
    return why->count ? -1 : 0;
}

void watch_processes_end(struct watch_processes *processes)
{
    for (size_t i = 0; i < processes->count; i++)
        watched_free(&processes->list[i]);
    free(processes->list);
    *processes = (struct watch_processes){0};
}

bool watch_processes_drop(struct watch_processes *processes)
{
    size_t kept = 0, patched;

    for (size_t i = 0; i < processes->count; i++) {
        if (process_alive(&processes->list[i].process)) {
            processes->list[kept++] = processes->list[i];
            continue;
        }
        if (processes->list[i].part_count && !processes->silent)
            report_event(processes->report, "ended", "process %d has ended",
                         processes->list[i].process.pid);
        watched_free(&processes->list[i]);
    }
    processes->count = kept;
    patched = with_parts(processes);
    if (patched)
        processes->said = false;
    else if (*processes->target == '@' && !processes->said) {
        report_event(processes->report, "waiting", "waiting for a process of %s",
                     processes->target + 1);
        processes->said = true;
        processes->next = now_ms();
    }
    return patched > 0 || *processes->target == '@';
}

static bool has_process(const struct watch_processes *processes, const struct process *process)
{
    for (size_t i = 0; i < processes->count; i++)
        if (processes->list[i].process.pid == process->pid &&
            processes->list[i].process.start_time == process->start_time)
            return true;
    return false;
}

static bool join_one(struct watch_processes *processes, struct process *process)
{
    struct refusal why = {0};
    pid_t pid = process->pid;
    bool joined;

    process_await_ready(pid);
    joined = watched_add(processes, process, &why) == 0;
    if (joined)
        report_event(processes->report, "found", "process %d is patched from now on", pid);
    else
        report_refused(processes->report, NULL, NULL, &why);
    refusal_clear(&why);
    return joined;
}

bool watch_processes_join(struct watch_processes *processes)
{
    struct process_targets targets;
    struct refusal why = {0};
    bool joined = false;

    if (*processes->target != '@' || now_ms() < processes->next)
        return false;
    process_targets_find(processes->target, &targets, &why);
    for (size_t i = 0; i < targets.count; i++)
        if (!has_process(processes, &targets.list[i]))
            joined |= join_one(processes, &targets.list[i]);
    process_targets_close(&targets);
    refusal_clear(&why);
    processes->next = now_ms() + (with_parts(processes) ? LOOK_MS : LOOK_NONE_MS);
    return joined;
}

void watch_processes_refresh(struct watch_processes *processes)
{
    struct refusal ignored = {0};

    for (size_t i = 0; i < processes->count; i++)
        if (processes->list[i].part_count && process_alive(&processes->list[i].process))
            parts_find(processes, &processes->list[i], &ignored);
    refusal_clear(&ignored);
}

/* Return the number of parts of all processes. */
static size_t parts_of_all(const struct watch_processes *processes)
{
    size_t count = 0;

    for (size_t i = 0; i < processes->count; i++)
        count += processes->list[i].part_count;
    return count;
}

const char *watch_processes_library(struct watch_processes *processes)
{
    size_t before = parts_of_all(processes);

    if (!watch_binaries_lack(processes->binaries) || now_ms() < processes->next_library)
        return NULL;
    processes->next_library = now_ms() + LIBRARIES_MS;
    watch_processes_refresh(processes);
    if (parts_of_all(processes) == before)
        return NULL;
    return processes->binaries->list[processes->binaries->count - 1]->name;
}

uint64_t watch_processes_next(const struct watch_processes *processes)
{
    uint64_t next = *processes->target == '@' ? processes->next : UINT64_MAX;

    if (watch_binaries_lack(processes->binaries) && processes->next_library < next)
        next = processes->next_library;
    return next;
}

bool watch_processes_use(const struct watch_processes *processes, const struct watch_binary *binary)
{
    for (size_t i = 0; i < processes->count; i++)
        for (size_t j = 0; j < processes->list[i].part_count; j++)
            if (processes->list[i].parts[j].binary == binary)
                return true;
    return false;
}
