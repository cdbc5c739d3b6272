/*
 * made_here.h - whether this is still the process that made the FIFO. Without a system call: the note lies in
 * a page that the kernel clears in every child (madvise(2), MADV_WIPEONFORK), however it is made.
 */
#ifndef HOTPATCH_MADE_HERE_H
#define HOTPATCH_MADE_HERE_H

#include <stdbool.h>

/* Host thread, constructor or listener. Where the kernel has no such pages, pids are compared. */
void made_here_note(void);
/* Any thread: return whether this process made the note; false in a child. */
bool made_here(void);

#endif
