/*
 * trust.h - find whether this process may run code from a file. It may only if no other user than root and the
 * process's own user could have written the file. Called by the listener.
 */
#ifndef HOTPATCH_TRUST_H
#define HOTPATCH_TRUST_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/refusal.h"

/* Check the file of descriptor `fd`, which was opened at `path`; `file` is its fstat(2). Return 0, or -1 after adding
 * to `why`. */
int trust_file(int fd, const char *path, const struct stat *file, struct refusal *why);

/* Read a whole regular file. Return its bytes, malloc'd, or NULL with `why`. A file that changes while it is read is
 * refused. `file` gets its fstat(2). */
void *trust_read(const char *path, size_t *size, struct stat *file, struct refusal *why);

/* Read, in the same way, a copy that root has made for this process alone. `fd` is open on the copy and is closed. */
void *trust_read_copy(int fd, const char *path, size_t *size, struct stat *file,
                      struct refusal *why);

#endif
