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

/* Host thread, constructor: makes directory and FIFO and leaves no descriptor open; endpoint_start() takes
 * this FIFO later. False: as below. */
bool endpoint_announce(void);
/* Host thread, constructor: opens the directory alone, for the patches that are applied there, and closes it again. */
void endpoint_open_directory(void);
void endpoint_close_directory(void);
/* Makes directory and FIFO. False: there is none, and the log says why. */
bool endpoint_start(void);
/* Opens the FIFO: from now on clients find a reader, and the status file is there. */
bool endpoint_open(void);
/* Makes them anew where pid, user or root have changed, or, with `doorbell`, the FIFO is gone.
 * True: something was made anew. What cannot be made anew stays as it is. */
bool endpoint_check(bool doorbell);
bool endpoint_user_changed(void); /* the quick half of the look */
void endpoint_stop(void); /* closes everything, and leaves the files to the next endpoint_start() */

int endpoint_fifo(void); /* descriptor, -1: none */
/* The FIFO before the last change: a client may have opened it just before. -1: none */
int endpoint_retired(void);
/* Its name is still there, in a directory where replies can no longer be reached: who opens it
 * must find nobody, and go to the new one. */
bool endpoint_retired_misleads(void);
void endpoint_close_retired(void);
const struct runtime_dir *endpoint_dir(void);
/* "DIR/PID.fifo", or "DIR/PID-NSINODE.fifo", into `path`; any thread. False: there is none. */
bool endpoint_path(char *path, size_t size);
/* PID.json, unless the process ends. 0 or -errno. */
int endpoint_write_status(const char *text, size_t length);

/* Listener, before it ends the process: removes both. */
void endpoint_remove(void);
/* Host thread that runs destructors: removes FIFO and status file; none is made after it. */
void endpoint_end(void);
void endpoint_remove_if_asked(void); /* listener, at every wake-up */
/* Host thread, with no thread of ours alive: the process is in another user namespace now. */
/* Constructor, where the process will have no listener: the files that the program before an execve(2)
 * left under this process's number are removed. */
void endpoint_remove_left_by_exec(void);
void endpoint_enter_user_namespace(void);
bool endpoint_ended(void);
void endpoint_reset(void); /* in a forked child */

#endif
