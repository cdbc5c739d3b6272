/*
 * settings.h - the variables of the environment, read once in the constructor.
 *
 * The values are copied, because hosts rewrite their environ in place (setproctitle). Only the constructor writes
 * them, before the listener or the worker exists.
 */
#ifndef HOTPATCH_SETTINGS_H
#define HOTPATCH_SETTINGS_H

#include <stdbool.h>
#include <sys/types.h>

/* HOTPATCH_LISTEN: when the threads are made. */
enum listen_when {
    LISTEN_START,      /* in the constructor */
    LISTEN_FIRST_RING, /* at the first ring of the doorbell, or the host's first thread */
    LISTEN_NEVER       /* never, and no FIFO; HOTPATCH_PATCH is applied */
};

struct settings {
    /* malloc'd; "" if not set. Arrays would spread the data that a start reads over more pages. */
    const char *directory; /* HOTPATCH_DIR */
    const char *xdg;       /* XDG_RUNTIME_DIR */
    char *patches;         /* HOTPATCH_PATCH; NULL: none */
    enum listen_when listen;
    int signal;    /* the doorbell's signal; 0: none */
    pid_t run_pid; /* HOTPATCH_RUN_PID: `hotpatch run` waits for the patches of this process */
};

extern struct settings settings;

/* Read the environment and start the log. Return false if the shim must not work in the process: disabled, excluded,
 * AT_SECURE. */
bool settings_read(void);

#endif
