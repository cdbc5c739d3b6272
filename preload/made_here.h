/*
 * made_here.h - check whether this is still the process that made the FIFO. No system call: the record lies in a page
 * that the kernel clears in every child (madvise(2), MADV_WIPEONFORK), however the child is made.
 */
#ifndef HOTPATCH_MADE_HERE_H
#define HOTPATCH_MADE_HERE_H

#include <stdbool.h>

/* Record this process. Host thread, constructor or listener. If the kernel has no such pages, pids are compared. */
void made_here_note(void);
/* Return whether this process called made_here_note(); false in a child. Any thread. */
bool made_here(void);

#endif
