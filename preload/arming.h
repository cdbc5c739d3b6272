/*
 * arming.h - where this process is reached: its runtime directory, FIFO and status file, and
 * the identity (pid, user, root) that they were made under.
 *
 * Listener, but for arming_end() and arming_path().
 */
#ifndef HOTPATCH_ARMING_H
#define HOTPATCH_ARMING_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/runtime_dir.h"

/* Host thread, constructor: makes directory and FIFO and leaves no descriptor open; arming_start() takes
 * this FIFO later. False: as below. */
bool arming_announce(void);
/* Host thread, constructor: opens the directory alone, for the patches that are applied there, and closes it again. */
void arming_open_directory(void);
void arming_close_directory(void);
/* Makes directory and FIFO. False: there is none, and the log says why. */
bool arming_start(void);
/* Opens the FIFO: from now on clients find a reader, and the status file is there. */
bool arming_open(void);
/* Makes them anew where pid, user or root have changed, or, with `doorbell`, the FIFO is gone.
 * True: something was made anew. What cannot be made anew stays as it is. */
bool arming_check(bool doorbell);
bool arming_user_changed(void); /* the quick half of the look */
void arming_stop(void); /* closes everything, and leaves the files to the next arming_start() */

int arming_fifo(void); /* descriptor, -1: none */
/* The FIFO before the last change: a client may have opened it just before. -1: none */
int arming_retired(void);
/* Its name is still there, in a directory where replies can no longer be reached: who opens it
 * must find nobody, and go to the new one. */
bool arming_retired_misleads(void);
void arming_close_retired(void);
const struct runtime_dir *arming_dir(void);
/* "DIR/PID.fifo", or "DIR/PID-NSINODE.fifo", into `path`; any thread. False: there is none. */
bool arming_path(char *path, size_t size);
/* PID.json, unless the process ends. 0 or -errno. */
int arming_write_status(const char *text, size_t length);

/* Listener, before it ends the process: removes both. */
void arming_remove(void);
/* Host thread that runs destructors: removes FIFO and status file; none is made after it. */
void arming_end(void);
void arming_remove_if_asked(void); /* listener, at every wake-up */
/* Host thread, with no thread of ours alive: the process is in another user namespace now. */
/* Constructor, where the process will have no listener: the files that the program before an execve(2)
 * left under this process's number are removed. */
void arming_remove_left_by_exec(void);
void arming_enter_user_namespace(void);
bool arming_ended(void);
void arming_reset(void); /* in a forked child */

#endif
