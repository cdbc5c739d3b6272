/*
 * findings.h - what doctor finds: one line each, "ok", "warn" or "no", with the reason.
 */
#ifndef HOTPATCH_FINDINGS_H
#define HOTPATCH_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "elf/text_share.h"

struct json_object;

enum level { FINDING_OK, FINDING_WARN, FINDING_NO };

struct doctor_finding {
    enum level level;
    enum error_code code; /* of a FINDING_NO */
    const char *check;    /* "library", "fifo" ... */
    char *text;
};

struct findings {
    struct doctor_finding *list;
    size_t count;
    struct text_share text; /* of the program, for --json */
    bool has_text;
};

void finding_add(struct findings *findings, enum level level, enum error_code code,
                 const char *check, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* One FINDING_NO for each complaint; clears `why`. */
void finding_add_refusal(struct findings *findings, const char *check, struct refusal *why);
void findings_free(struct findings *findings);
/* The exit code of the first FINDING_NO; 0: none. */
int findings_exit(const struct findings *findings);

struct functions;
/* How much of the code of the program the functions are of. */
void finding_add_text(struct findings *findings, struct functions *functions);

/* "ok    program   ..." for each, on stdout. */
void findings_print(const struct findings *findings);
/* The document of `hotpatch doctor` for a process, or with `pid` 0 for a file. */
struct json_object *findings_json(const struct findings *findings, pid_t pid, const char *file);

#endif
