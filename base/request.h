/*
 * request.h - the wire format of the FIFO: one line in, one struct request out.
 *
 * Compiled into the shim and the command alike; libc only, no allocation: all strings
 * point into the line that was parsed, which must outlive the request.
 */
#ifndef HOTPATCH_REQUEST_H
#define HOTPATCH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

#define REQUEST_MAX 4096 /* PIPE_BUF on Linux: a write up to this is atomic, pipe(7) */
#define REQUEST_REPLACE_MAX 64
#define REQUEST_PLACE_MAX 64
#define REQUEST_TRANSACTION_MAX 256 /* lines between begin and commit */
#define REQUEST_ID_MAX 64
#define REQUEST_NONCE_LENGTH 32 /* lower-case hex digits */

enum request_verb {
    REQUEST_LOAD,
    REQUEST_REVERT,
    REQUEST_STATUS,
    REQUEST_SLOTS,
    REQUEST_PING,
    REQUEST_BEGIN,
    REQUEST_COMMIT,
    REQUEST_RELOAD /* `reload`: every module whose file has changed */
};

enum request_when { WHEN_CALL, WHEN_QUIET, WHEN_SAFE_POINT };

enum request_which { REVERT_NAME, REVERT_LAST, REVERT_ALL };

struct request_replace {
    const char *name;   /* target, "[OBJECT:]NAME[@FILE.c]" */
    const char *symbol; /* in the patch */
};

/*
 * load at=OBJECT@BUILDID+0xOFFSET=TARGET: TARGET in the patch, replace= or fail= means the function at OFFSET of
 * OBJECT. The sender found it in debug information that the process does not read.
 */
struct request_place {
    const char *object;   /* a base name, a soname or "exe" */
    const char *build_id; /* lower-case hex digits; "": the object must have none */
    uint64_t offset;      /* virtual address before load bias */
    const char *target;   /* the same text as in the patch */
};

/* load fail=: an injection instead of a patch's file. */
struct request_injection {
    const char *what;     /* NAME=RETVAL[:ERRNO], or NULL: no injection; NAME may hold '=' */
    const char *caller;   /* OBJECT that the caller must lie in, or NULL: any */
    uint64_t nth;         /* applied at every nth call; 0: not given */
    uint64_t times;       /* applied this often; 0: without end */
    uint32_t probability; /* in millionths; 0: not given */
    uint32_t seconds;     /* reverted after this time; 0: never */
};

struct request {
    enum request_verb verb;
    enum request_when when;
    uint32_t
        timeout; /* ms to wait for the moment, or of slots to make the list; REQUEST_TIMEOUT_DEFAULT
                        * where not given */
    bool timeout_given;
    uint64_t deadline; /* CLOCK_MONOTONIC ms; 0: none */
    bool dry_run;
    bool no_hits; /* seen=0: calls of the new code are not recorded */
    bool unload;
    const char *id;    /* "" where not given */
    const char *reply; /* "" where not given; checked against [A-Za-z0-9_-]{1,64}\.reply */
    const char *nonce; /* of the addressed process, preload/self.h; "" where not given */
    const char *path;  /* load: absolute; else NULL */
    const char *name;  /* revert name= */
    enum request_which which;
    const char *match; /* slots: glob or NULL */
    const char *kind;  /* slots: declared, import, entry or NULL */
    bool slots_alone;  /* slots functions=0: without functions that are no slots yet */
    struct request_replace replace[REQUEST_REPLACE_MAX];
    size_t replace_count;
    struct request_place places[REQUEST_PLACE_MAX];
    size_t place_count;
    struct request_injection injection;
};

#define REQUEST_TIMEOUT_DEFAULT 500

/*
 * Parse `line` (NUL-terminated, no newline) in place. `length` is the number of bytes read, so that an embedded NUL
 * is seen. Return 0, or -1 with the refusal in `why`. `request` then has id and reply if the line had valid ones, so
 * that the refusal can be sent. Any thread.
 */
int request_parse(char *line, size_t length, struct request *request, struct refusal *why);

const char *request_verb_name(enum request_verb verb); /* "load"; "?" where there is none */

/* Return whether the name is valid for reply=. */
bool request_reply_name_valid(const char *name);

#endif
