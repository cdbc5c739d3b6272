/*
 * file_bytes.h - whole files: read into memory, written.
 */
#ifndef HOTPATCH_FILE_BYTES_H
#define HOTPATCH_FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Read a regular file. Return 0, or -1 with errno. `*bytes` is malloc'd and ends in a zero byte that is not counted.
 * `facts`, which may be NULL, are those of the file that was read. */
int file_bytes_read(const char *path, char **bytes, size_t *size, struct stat *facts);
/* Read a file of any kind to its end: a pipe, or for "-" the standard input. The same results. */
int file_bytes_read_stream(const char *path, char **bytes, size_t *size);
/* Make or replace a file of mode 0600 & ~umask. Return 0, or -1 with errno. */
int file_bytes_write(const char *path, const char *bytes, size_t size);
/* Put a new file of that mode in the place of what is there, of which nothing is changed on an error. Return 0, or -1 with errno. */
int file_bytes_exchange(const char *path, const char *bytes, size_t size, mode_t mode);

#endif
