/*
 * watch_report.h - what hotpatch watch prints: a line, or a JSON document, for each event.
 */
#ifndef HOTPATCH_WATCH_REPORT_H
#define HOTPATCH_WATCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/refusal.h"
#include "cli/build/build.h"

struct json_object;

struct watch_report {
    FILE *out;
    bool json;
    bool own; /* `out` is to be closed */
};

/* Milliseconds of a save: `live` is from the save to the switch, the others are parts of it. */
struct save_times {
    double noticed, compiled, compared, loaded, live;
};

/* Open what --log names, or stdout; stderr beside a program. Return 0, or -1 with the refusal. */
int watch_report_open(struct watch_report *report, const char *log, bool program, bool json,
                      struct refusal *why);
void watch_report_close(struct watch_report *report);
/* Return whether the lines still have a reader. */
bool watch_report_wanted(const struct watch_report *report);

/* Print a sentence; in JSON it is the "text" of the event. */
void report_event(const struct watch_report *report, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Print that a save is live in so many processes. */
void report_live(const struct watch_report *report, const char *files,
                 const struct save_times *times, const struct build_result *const *results,
                 size_t result_count, size_t processes);
/* Print that all functions are the program's own again. */
void report_reverted(const struct watch_report *report, const char *files,
                     const struct save_times *times, size_t processes);
/* Print why a save is not live: the compiler's words, and the refusal. `files` NULL: it is not about a save. */
void report_refused(const struct watch_report *report, const char *files, const char *words,
                    const struct refusal *why);
/* Print what a process replied. */
void report_failed(const struct watch_report *report, const char *files, int pid,
                   struct json_object *reply);

#endif
