/*
 * outcome.h - the result of one request while the shim works on it: the reply and its record in the history.
 *
 * Runs on the listener, or, for HOTPATCH_PATCH, on the thread that runs the constructor, with the engine lock held.
 */
#ifndef HOTPATCH_OUTCOME_H
#define HOTPATCH_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/request.h"
#include "preload/reply_json.h"

struct outcome {
    struct reply_json json;
    uint64_t began; /* us */
    int exit_code;
    bool stale;        /* the status file must be written again */
    bool recorded;     /* the record is kept in the history */
    char code[64];     /* of the first complaint; "" */
    char text[512];    /* its sentence, cut to the length of a log line */
    char warning[512]; /* "" */
};

/* `id` and `verb` must outlive the outcome. */
void outcome_begin(struct outcome *outcome, const char *id, const char *verb);
/* One of these three: */
void outcome_done(struct outcome *outcome);
void outcome_refuse(struct outcome *outcome, const struct refusal *why);
void outcome_ask_engine(struct outcome *outcome, const struct request *requests, size_t count);
void outcome_warn(struct outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Add the record to the history, if it is to be kept. */
void outcome_record(struct outcome *outcome);
/* Return the reply with its newline, which the caller frees; NULL: memory is short. */
char *outcome_end(struct outcome *outcome);
void outcome_discard(struct outcome *outcome);

#endif
