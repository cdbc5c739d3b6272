/*
 * thin_copies.h - the copies of thin objects that are no longer applied. Their debug information may be a megabyte each,
 * and the runtime directory is often memory: it is cut off all copies but the last few, which may be taken up again. What
 * is mapped stays.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_COPIES_H
#define HOTPATCH_THIN_COPIES_H

#include <stddef.h>

/* The module of the copy was reverted. The first `whole` bytes are a complete file without debug information. */
void thin_copy_retired(const char *path, size_t whole);
/* The copy's mapping is used again. */
void thin_copy_used(const char *path);

#endif
