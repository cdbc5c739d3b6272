/*
 * channel.h - the way to the listener of a process: its FIFO in a runtime directory, or its pipes in a jail.
 */
#ifndef HOTPATCH_CHANNEL_H
#define HOTPATCH_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "base/request.h"
#include "cli/process/jail_ends.h"
#include "cli/process/proc_facts.h"

struct json_object;

#define STEM_SIZE 40
#define NONCE_LENGTH REQUEST_NONCE_LENGTH

/* The files of several processes may be named by one number: the FIFO is checked to be the one that the process
 * reads. */
struct channel {
    int dir;  /* the runtime directory */
    int fifo; /* for writing, non-blocking; -1 where nobody listens */
    uid_t owner;
    char *path; /* the directory as the process sees it */
    /* Where there is a FIFO: its files are named PID or PID-NSINODE. */
    char stem[STEM_SIZE];
    /* The value of nonce= for the process; "": only its open descriptors show that the FIFO is its own. */
    char nonce[NONCE_LENGTH + 1];
    /* There is no runtime directory in its root: `dir` is -1, `fifo` the pipe for requests. */
    bool jail;
    bool outside; /* the process has changed its root directory since it made the FIFO */
    struct jail_ends ends;
};

#define CHANNEL_NONE ((struct channel){.dir = -1, .fifo = -1, .ends = {-1, -1, 0}})

/* Open the way. Return 0, or -1 with HP-DIRECTORY, HP-PERMISSION, HP-NOT-LISTENING or HP-NO-SHIM. With
 * HP-NOT-LISTENING `dir` may be open: the directory in which the FIFO should be. */
int channel_open(const struct process *process, struct channel *channel, struct refusal *why);
void channel_close(struct channel *channel);

/* Return the status file of the process in that directory, or NULL. The file of another process, or of an earlier
 * process with this number, is not returned. Release it with json_object_put(). */
struct json_object *status_file_read(int dir, const struct process *process);
/* Return the regular JSON file `name` in `dir`, of at most 64 MiB, or NULL. */
struct json_object *json_file_read(int dir, const char *name);

#endif
