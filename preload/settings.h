/*
 * settings.h - the variables of the environment, read once in the constructor.
 *
 * Copied, because hosts rewrite their environ in place (setproctitle). Written by the
 * constructor alone, before the listener or the worker exists.
 */
#ifndef HOTPATCH_SETTINGS_H
#define HOTPATCH_SETTINGS_H

#include <stdbool.h>
#include <sys/types.h>

/* HOTPATCH_LISTEN: when the threads are made. */
enum listen_when {
    LISTEN_START,      /* in the constructor */
    LISTEN_FIRST_RING, /* at the first ring of the doorbell, or the host's first thread */
    LISTEN_NEVER       /* not at all, and no FIFO; HOTPATCH_PATCH is applied */
};

struct settings {
    /* malloc'd; "" where not set. Arrays would spread what a start touches over pages. */
    const char *directory; /* HOTPATCH_DIR */
    const char *xdg;       /* XDG_RUNTIME_DIR */
    char *patches;         /* HOTPATCH_PATCH; NULL: none */
    enum listen_when listen;
    int signal;    /* of the doorbell; 0: none */
    pid_t run_pid; /* HOTPATCH_RUN_PID: `hotpatch run` waits for the patches of this process */
};

extern struct settings settings;

/* Read the environment and start the log. Return false where the process is not to be touched: disabled, excluded,
 * AT_SECURE. */
bool settings_read(void);

#endif
