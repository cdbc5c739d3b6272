/*
 * endpoint.h - where this process is reached: its runtime directory, FIFO and status file, and
 * the identity (pid, user, root) that they were made under.
 *
 * Listener, but for endpoint_end() and endpoint_path().
 */
#ifndef HOTPATCH_ENDPOINT_H
#define HOTPATCH_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/runtime_dir.h"

/* Host thread, constructor: make directory and FIFO and leave no descriptor open; endpoint_start() takes
 * this FIFO later. Return false as below. */
bool endpoint_announce(void);
/* Host thread, constructor: open the directory alone, for the patches that are applied there, and close it again. */
void endpoint_open_directory(void);
void endpoint_close_directory(void);
/* Make directory and FIFO. Return false where there is none; the log says why. */
bool endpoint_start(void);
/* Open the FIFO: from now on clients find a reader, and the status file is there. */
bool endpoint_open(void);
/* Make them again where pid, user or root have changed, or, with `doorbell`, the FIFO is gone.
 * Return whether something was made again. What cannot be made again stays as it is. */
bool endpoint_check(bool doorbell);
bool endpoint_user_changed(void); /* the quick half of endpoint_check() */
void endpoint_stop(void); /* close everything, and leave the files to the next endpoint_start() */

int endpoint_fifo(void); /* descriptor, -1: none */
/* The FIFO before the last change: a client may have opened it just before. -1: none */
int endpoint_retired(void);
/* Return whether its name is still there, in a directory where replies can no longer be reached: a client that opens it
 * must find no reader, and go to the new one. */
bool endpoint_retired_misleads(void);
void endpoint_close_retired(void);
const struct runtime_dir *endpoint_dir(void);
/* Write "DIR/PID.fifo", or "DIR/PID-NSINODE.fifo", to `path`; any thread. Return false where there is none. */
bool endpoint_path(char *path, size_t size);
/* Write PID.json, unless the process ends. Return 0 or -errno. */
int endpoint_write_status(const char *text, size_t length);

/* Listener, before it ends the process: remove both. */
void endpoint_remove(void);
/* Host thread that runs destructors: remove FIFO and status file; none is made after it. */
void endpoint_end(void);
void endpoint_remove_if_asked(void); /* listener, at every wake-up */
/* Constructor, where the process will have no listener: remove the files that the program before an execve(2)
 * left under this process's number. */
void endpoint_remove_left_by_exec(void);
bool endpoint_ended(void);
void endpoint_reset(void); /* in a forked child */

#endif
