/* leftovers.h - the files that the last process of a runtime directory removes from it. */
#ifndef HOTPATCH_LEFTOVERS_H
#define HOTPATCH_LEFTOVERS_H

/* Remove the copies of patches in `directory`/objects unless a process still listens in `directory`. Runs on the host
 * thread that runs destructors, after the process's own FIFO is removed: of two processes that end at the same time
 * the later must find no FIFO. */
void leftovers_remove(const char *directory);

#endif
