/*
 * trust.h - may this process run code from that file? Only when nobody but root and the
 * process's own user could have put it there. Listener.
 */
#ifndef HOTPATCH_TRUST_H
#define HOTPATCH_TRUST_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/refusal.h"

/* `fd` is open on the file that `path` named, `file` its fstat(2). Adds to `why`; 0 or -1. */
int trust_file(int fd, const char *path, const struct stat *file, struct refusal *why);

/* The whole of a regular file, malloc'd, read at one stand: what changes meanwhile is
 * refused. NULL with `why`. `file` gets its fstat(2). */
void *trust_read(const char *path, size_t *size, struct stat *file, struct refusal *why);

/* The same of a copy that root has made for this process alone, open as `fd`, which is closed. */
void *trust_read_copy(int fd, const char *path, size_t *size, struct stat *file,
                      struct refusal *why);

#endif
