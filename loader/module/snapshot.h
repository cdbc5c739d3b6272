/* snapshot.h - the private copy of a patch that is loaded in place of the file. */
#ifndef HOTPATCH_SNAPSHOT_H
#define HOTPATCH_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"

/*
 * Make the copy. Return its path, malloc'd, or NULL with `why`. If the file system refuses execution, or the directory
 * was removed meanwhile, no file is made, the path does not begin with a slash, and the caller uses snapshot_memfd().
 * `made`: the file did not exist before. Called by the listener.
 */
char *snapshot_make(const char *sha256, const void *bytes, size_t size, bool *made,
                    struct refusal *why);
void snapshot_remove(const char *path);

/* Ask the command, in a jail, for a copy of these bytes where dlopen(3) finds it. Return its name, malloc'd; or NULL
 * with the refusal. Called by the listener. */
char *snapshot_bring(const void *bytes, size_t size, struct refusal *why);

/* Make a memfd with the bytes, in the calling thread's descriptor table, and a name for dlopen(3) that this process has
 * not used before. Return the descriptor, or -errno. Called by the worker. */
int snapshot_memfd(const void *bytes, size_t size, char *name, size_t name_size);

/* Cut the file at `path` off after its first `size` bytes, which are all that is mapped of it. An error is ignored. */
void snapshot_cut(const char *path, size_t size);

#endif
