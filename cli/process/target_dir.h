/*
 * target_dir.h - the runtime directory of a target process, found and walked to safely.
 *
 * A target's directory may lie in another root, belong to another user and be full of traps:
 * the walk follows no link (openat2(2)), owner and mode are checked on the descriptor, and
 * everything in it is opened by openat() with O_NOFOLLOW.
 */
#ifndef HOTPATCH_TARGET_DIR_H
#define HOTPATCH_TARGET_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "base/request.h"
#include "cli/process/jail_ends.h"
#include "cli/process/proc_facts.h"

struct json_object;

struct candidate {
    char *path;         /* absolute, as the target spells it */
    const char *origin; /* which rule names it: "HOTPATCH_DIR of this command" ... */
    bool own_root;      /* tried from the command's root, not the target's */
    int fd;             /* the open directory, -1 where `why` says what is wrong */
    int error;          /* errno; 0 with fd -1: it is there and not to be trusted */
    char why[320];
    uid_t owner;
    mode_t mode;
};

/* All candidates in the order of design.md, section 8, opened and checked. Free with
 * candidates_free(); a descriptor taken over is replaced by -1. */
struct candidate *candidates_find(const struct process *process, size_t *count);
void candidates_free(struct candidate *candidates, size_t count);

/* Opens `path` from `root`; whoever owns it, but not where others can write in it. */
void candidate_open_any(struct candidate *candidate, int root);

#define COPY_PREFIX "client-" /* of the names of copies of patches that the command makes */
#define STEM_SIZE 40
#define NONCE_LENGTH REQUEST_NONCE_LENGTH

/* A way to a listener, and to that of the process that was named: several processes may have the number
 * that its files are named by. */
struct channel {
    int dir;  /* the runtime directory */
    int fifo; /* for writing, non-blocking; -1 where nobody listens */
    uid_t owner;
    char *path; /* the directory as the target spells it */
    char
        stem[STEM_SIZE]; /* of the names of its files, where there is a FIFO: PID, or PID-NSINODE */
    char nonce[NONCE_LENGTH +
               1]; /* of the process, for nonce=; "": the FIFO is its by what it has open */
    /* In a root directory without such a directory: `dir` is -1, `fifo` the pipe for requests. */
    bool jail;
    bool outside; /* the FIFO is not in the target's root directory: the target left it behind */
    struct jail_ends ends;
};

#define CHANNEL_NONE ((struct channel){.dir = -1, .fifo = -1, .ends = {-1, -1, 0}})

/* 0, or -1: HP-DIRECTORY, HP-PERMISSION, HP-NOT-LISTENING, HP-NO-SHIM. With HP-NOT-LISTENING
 * `dir` may be open: the directory that the FIFO should be in. */
int channel_open(const struct process *process, struct channel *channel, struct refusal *why);
void channel_close(struct channel *channel);

/* The status file of the process in that directory, or NULL; one of another process, or of one that had its
 * number before, is not returned. Release with json_object_put(). */
struct json_object *status_file_read(int dir, const struct process *process);
/* Any regular JSON file in `dir`, of at most 64 MiB. */
struct json_object *json_file_read(int dir, const char *name);

#endif
