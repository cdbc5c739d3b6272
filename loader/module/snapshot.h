/* snapshot.h - the private copy of a patch that is loaded in place of the file. */
#ifndef HOTPATCH_SNAPSHOT_H
#define HOTPATCH_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"

/*
 * Make the copy; its path, malloc'd, or NULL with `why`. Where that file system refuses
 * execution, or the directory was removed meanwhile, no file is made, the path does not begin with a slash, and
 * snapshot_memfd() serves. `made`: the file was not there before. Listener.
 */
char *snapshot_make(const char *sha256, const void *bytes, size_t size, bool *made,
                    struct refusal *why);
void snapshot_remove(const char *path);

/* In a jail: the name of a copy that the command makes of these bytes where dlopen finds it, malloc'd; or NULL
 * with the refusal. Listener. */
char *snapshot_bring(const void *bytes, size_t size, struct refusal *why);

/* A memfd with the bytes, in the calling thread's descriptor table, and a name for dlopen that
 * this process has not used before. The descriptor, or -errno. Worker. */
int snapshot_memfd(const void *bytes, size_t size, char *name, size_t name_size);

#endif
