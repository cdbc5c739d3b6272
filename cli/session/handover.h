/*
 * handover.h - what the command puts into a process's runtime directory: the reply FIFO, and
 * copies of patches for a process that sees other files under the same names.
 *
 * The directory may belong to another user, who can exchange anything in it at any time: all
 * is made exclusively, opened without following links, and checked on the descriptor before
 * its ownership is given away.
 */
#ifndef HOTPATCH_HANDOVER_H
#define HOTPATCH_HANDOVER_H

#include "base/refusal.h"
#include "cli/process/channel.h"

/* Make the FIFO `name` for the directory's owner, and open it with O_RDWR, so that it never reports an end.
 * Return the descriptor, or -1 with the refusal and nothing left behind. */
int reply_fifo_make(const struct channel *channel, const char *name, struct refusal *why);

/* Copy the file at `source`. Return the path as the process sees it, malloc'd, or NULL with the refusal. */
char *patch_copy(const struct channel *channel, const char *source, const char *id, size_t number,
                 struct refusal *why);
/* Remove a copy that patch_copy() made. */
void patch_copy_remove(const struct channel *channel, const char *path);

/* Open the file at `source` for reading if it can be a patch. Return -1 with the refusal. */
int patch_source_open(const char *source, struct refusal *why);
/* Copy from the descriptors' positions to the end. Return 0, or -1 with errno. */
int copy_bytes(int from, int to);

#endif
