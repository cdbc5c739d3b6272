/*
 * endpoint.h - the files by which commands reach this process: its runtime directory, FIFO and status file, and the
 * identity (pid, user, root) for which they were made.
 *
 * Runs on the listener, except endpoint_end() and endpoint_path().
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
/* Make directory and FIFO. Return false if they cannot be made; the log has the reason. */
bool endpoint_start(void);
/* Open the FIFO. From now on clients find a reader, and the status file exists. */
bool endpoint_open(void);
/* Make directory and FIFO again if pid, user or root have changed, or, with `doorbell`, if the FIFO is missing.
 * Return whether one of them was made again. If they cannot be made again, the old ones stay. */
bool endpoint_check(bool doorbell);
bool endpoint_user_changed(void); /* the quick half of endpoint_check() */
void endpoint_stop(void); /* close everything, and leave the files to the next endpoint_start() */

int endpoint_fifo(void); /* descriptor, -1: none */
/* Return the descriptor of the FIFO before the last change, which a client may have opened just before; -1: none. */
int endpoint_retired(void);
/* Return whether the old FIFO still has its name in a directory where replies can no longer be opened. A client that
 * opens this FIFO must find no reader, so that it uses the new FIFO. */
bool endpoint_retired_misleads(void);
void endpoint_close_retired(void);
const struct runtime_dir *endpoint_dir(void);
/* Write "DIR/PID.fifo", or "DIR/PID-NSINODE.fifo", to `path`; any thread. Return false where there is none. */
bool endpoint_path(char *path, size_t size);
/* Write PID.json, unless the process ends. Return 0 or -errno. */
int endpoint_write_status(const char *text, size_t length);

/* Listener, before it ends the process: remove FIFO and status file. */
void endpoint_remove(void);
/* Host thread that runs destructors: remove FIFO and status file. No FIFO is made after this call. */
void endpoint_end(void);
void endpoint_remove_if_asked(void); /* listener, at every wake-up */
/* Constructor, where the process will have no listener: remove the files that the program before an execve(2)
 * left under this process's number. */
void endpoint_remove_left_by_exec(void);
bool endpoint_ended(void);
void endpoint_reset(void); /* in a forked child */

#endif
