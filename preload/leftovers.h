/* leftovers.h - what the last process of a runtime directory removes from it. */
#ifndef HOTPATCH_LEFTOVERS_H
#define HOTPATCH_LEFTOVERS_H

/* Remove the copies of patches in `directory`/objects unless a process still listens in
 * `directory`. Host thread that runs destructors, after its process's own FIFO is gone: of two
 * processes that end at once the later one must see neither. */
void leftovers_remove(const char *directory);

#endif
