/*
 * watch.c - see watch.h.
 *
 * One thread waits for events: a file was saved, a process has ended, a signal has come. A save is awaited until it
 * is complete and no other follows it at once; then watch_round.c makes the sources live as they are then. Sources
 * that change while they are compiled are compiled again before they are loaded.
 */
#include "cli/verbs/watch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/build/paths.h"
#include "cli/output/clock.h"
#include "cli/output/fatal.h"
#include "cli/output/output.h"
#include "cli/output/results.h"
#include "cli/process/await_ready.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"
#include "cli/verbs/watch_binaries.h"
#include "cli/verbs/watch_files.h"
#include "cli/verbs/watch_old_calls.h"
#include "cli/verbs/watch_options.h"
#include "cli/verbs/watch_processes.h"
#include "cli/verbs/watch_program.h"
#include "cli/verbs/watch_report.h"
#include "cli/verbs/watch_round.h"

#define SETTLE_MS 2    /* without an event: the saves of an editor are over */
#define SETTLE_MAX 100 /* ms after the first event */
#define STALE_MAX 3    /* rounds that are run again since sources change */

struct watch_state {
    struct watch_options options;
    struct watch_report report;
    struct watch_binaries binaries;
    struct watch_processes processes;
    struct watch_files *files;
    char *commands;     /* path of the compile commands, or NULL */
    char target[16];    /* the PID of the program */
    pid_t program;      /* that was started; 0: none */
    int program_status; /* wait status */
    struct watch_old_calls old_calls;
    sigset_t before;
    unsigned stale; /* rounds in a row */
};

static struct watch_round saves_round(struct watch_state *watch)
{
    return (struct watch_round){.binaries = &watch->binaries,
                                .processes = &watch->processes,
                                .files = watch->files,
                                .report = &watch->report};
}

/* ---- waiting ---- */

static struct pollfd *watch_polls(const struct watch_state *watch, size_t *count)
{
    size_t processes = watch->processes.count;
    struct pollfd *polls = allocate((PATH_WATCH_POLLS + 2 * processes + 1) * sizeof(*polls));

    watch_files_polls(watch->files, polls);
    *count = PATH_WATCH_POLLS;
    for (size_t i = 0; i < processes; i++) {
        polls[(*count)++] = (struct pollfd){.fd = watch->processes.list[i].end, .events = POLLIN};
        polls[(*count)++] = (struct pollfd){.fd = watch->processes.list[i].claim, .events = POLLIN};
    }
    polls[(*count)++] = watch->report.out == stdout ? results_poll() : (struct pollfd){.fd = -1};
    return polls;
}

/* Wait until `until` (ms) at the latest. Return whether there was an event of a file. */
static bool wait_until(struct watch_state *watch, uint64_t until)
{
    uint64_t now = now_ms(), left = until > now ? until - now : 0;
    const struct timespec time = {.tv_sec = (time_t)(left / 1000),
                                  .tv_nsec = (long)(left % 1000) * 1000000};
    size_t count;
    struct pollfd *polls = watch_polls(watch, &count);
    bool event = false;

    if (ppoll(polls, count, until == UINT64_MAX ? NULL : &time, &watch->before) < 0)
        polls[0].revents = polls[1].revents = 0;
    event = polls[0].revents || polls[1].revents;
    watch_files_take(watch->files, polls);
    free(polls);
    return event;
}

static void await_event(struct watch_state *watch)
{
    const uint64_t times[] = {watch_files_next(watch->files),
                              watch_processes_next(&watch->processes),
                              watch_old_calls_next(&watch->old_calls)};
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        first = times[i] < first ? times[i] : first;
    wait_until(watch, first);
}

/* Wait until the saves that have begun are over: an editor saves several files, or one in several steps. */
static void settle(struct watch_state *watch)
{
    uint64_t first = now_ms();

    while (now_ms() - first < SETTLE_MAX && wait_until(watch, now_ms() + SETTLE_MS) &&
           !client_interrupted())
        watch_files_changed(watch->files);
}

/* ---- events ---- */

static void reopen_binaries(struct watch_state *watch)
{
    for (size_t i = 0; i < watch->binaries.count; i++) {
        struct watch_binary *binary = watch->binaries.list[i];
        struct refusal why = {0};

        if (!binary->build || !build_stale(binary->build))
            continue;
        if (watch_binary_reopen(&watch->binaries, binary, &why) == 0)
            report_event(&watch->report, "commands", "%s has changed: read again for %s",
                         watch->commands, binary->name);
        else
            report_refused(&watch->report, watch->commands, NULL, &why);
        refusal_clear(&why);
    }
    watch_files_extend(watch->files);
}

/* Make the present sources live. */
static enum round_end run_round(struct watch_state *watch, bool last)
{
    struct watch_round round = saves_round(watch);
    enum round_end end = watch_round_run(&round, last);

    if (end == ROUND_LIVE)
        watch_old_calls_later(&watch->old_calls);
    return end;
}

static void take_saves(struct watch_state *watch)
{
    if (!watch_files_changed(watch->files) && !watch_files_commands(watch->files))
        return;
    settle(watch);
    if (watch_files_pending(watch->files) && watch_files_next(watch->files) > now_ms() &&
        watch->stale++ < STALE_MAX)
        return; /* one of several files is not complete yet */
    if (watch_files_commands(watch->files))
        reopen_binaries(watch);
    if (run_round(watch, watch->stale >= STALE_MAX) == ROUND_STALE)
        watch->stale++;
    else
        watch->stale = 0;
}

/* Take part in processes and libraries that are new. A library is reported when saves that came meanwhile are live: later ones
 * are saves of their own. */
static void take_newcomers(struct watch_state *watch)
{
    bool joined = watch_processes_join(&watch->processes);
    const char *name = joined ? NULL : watch_processes_library(&watch->processes);
    char *library = name ? format_text("%s", name) : NULL; /* the round may open its file anew */

    if (!joined && !library)
        return;
    watch_files_extend(watch->files);
    run_round(watch, true);
    if (library)
        report_event(&watch->report, "found", "%s is patched from now on", library);
    free(library);
}

static void watch_loop(struct watch_state *watch)
{
    while (!client_interrupted() && watch_report_wanted(&watch->report) &&
           watch_processes_drop(&watch->processes)) {
        take_newcomers(watch);
        watch_processes_others(&watch->processes);
        take_saves(watch);
        watch_old_calls_look(&watch->old_calls, &watch->processes);
        if (!client_interrupted())
            await_event(watch);
    }
}

/* ---- begin and end ---- */

static void report_ready(const struct watch_state *watch, double began)
{
    size_t processes = 0;
    pid_t pid = 0;

    for (size_t i = 0; i < watch->processes.count; i++)
        if (watch->processes.list[i].part_count) {
            processes++;
            pid = watch->processes.list[i].process.pid;
        }
    if (processes == 1)
        report_event(&watch->report, "ready", "watching %zu files of process %d, ready in %.0f ms",
                     sources_count(watch->binaries.sources), pid, precise_ms() - began);
    else
        report_event(&watch->report, "ready",
                     "watching %zu files of %zu processes, ready in %.0f ms",
                     sources_count(watch->binaries.sources), processes, precise_ms() - began);
}

static int watch_begin(struct watch_state *watch, struct refusal *why)
{
    const char *target = watch->options.target;
    double began = precise_ms();

    if (watch->program) {
        snprintf(watch->target, sizeof(watch->target), "%d", watch->program);
        target = watch->target;
    }
    if (watch_binaries_begin(&watch->binaries, &watch->options, why) != 0 ||
        watch_processes_begin(&watch->processes, &watch->binaries, target, &watch->report, why) !=
            0)
        return -1;
    watch->processes.silent = watch->program != 0;
    watch->files = watch_files_open(watch->binaries.sources, watch->commands);
    report_ready(watch, began);
    return 0;
}

static void say_what_stays(const struct watch_state *watch)
{
    for (size_t i = 0; i < watch->processes.count; i++)
        for (size_t j = 0; j < watch->processes.list[i].part_count; j++)
            if (watch->processes.list[i].parts[j].loaded)
                report_event(&watch->report, "stays",
                             "the patch stays; hotpatch revert %d %s takes it out",
                             watch->processes.list[i].process.pid,
                             watch->processes.list[i].parts[j].binary->module);
}

static void watch_finish(struct watch_state *watch)
{
    struct watch_round round = saves_round(watch);

    client_interrupt_taken();
    if (watch->options.revert_at_exit)
        watch_round_revert(&round);
    else if (!watch->program)
        say_what_stays(watch);
}

static void watch_free(struct watch_state *watch)
{
    watch_old_calls_free(&watch->old_calls);
    watch_files_close(watch->files);
    watch_processes_end(&watch->processes);
    watch_binaries_end(&watch->binaries);
    watch_report_close(&watch->report);
    free(watch->commands);
}

/* Return the wait status of the program that was started, which ends now if it has not ended. */
static int program_status(pid_t program)
{
    int status;

    return watch_program_ended(program, false, &status) ? status : watch_program_end(program);
}

/* Print why the watch does not begin, unless the program that was started has ended: it was not there to be watched. */
static int refuse_begin(struct watch_state *watch, struct refusal *why)
{
    if (watch->program && watch_program_ended(watch->program, false, &watch->program_status))
        return 0;
    if (watch->program)
        watch_program_end(watch->program);
    watch->program = 0;
    return refused("watch", 0, why, watch->options.json);
}

static int watch_run(struct watch_state *watch)
{
    struct refusal why = {0};
    int exit_code = 0;

    if (watch->options.program &&
        (watch->program = watch_program_start(watch->options.program, watch->options.json)) < 0)
        return 1;
    client_hold_signals(&watch->before);
    if (watch_begin(watch, &why) == 0) {
        watch_loop(watch);
        watch_finish(watch);
        if (watch->program)
            watch->program_status = program_status(watch->program);
    } else {
        exit_code = refuse_begin(watch, &why);
    }
    refusal_clear(&why);
    return exit_code;
}

/* Return the path of the compile commands from the root: events have names of directories that begin there; malloc'd. */
static char *commands_path(const char *build_dir)
{
    char *here = getcwd(NULL, 0), *file = format_text("%s/compile_commands.json", build_dir);
    char *path = path_absolute(here ? here : "/", file);

    free(file);
    free(here);
    return path;
}

int verb_watch(int argc, char **argv)
{
    struct watch_state watch = {0};
    struct refusal why = {0};
    int exit_code;

    if (watch_options_read(argc, argv, &watch.options, &exit_code) != 0)
        return exit_code;
    if (watch_report_open(&watch.report, watch.options.log, watch.options.program != NULL,
                          watch.options.json, &why) != 0)
        return refused("watch", 0, &why, watch.options.json);
    if (watch.options.build_dir)
        watch.commands = commands_path(watch.options.build_dir);
    exit_code = watch_run(&watch);
    watch_free(&watch);
    return watch.program > 0 ? watch_program_exit(watch.program_status) : exit_code;
}
