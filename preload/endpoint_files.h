/*
 * endpoint_files.h - the files of one process in a runtime directory: STEM.fifo and STEM.json, STEM being PID or
 * PID-NSINODE.
 *
 * Listener, and host threads that hold endpoint.c's lock. By system calls alone; no allocation.
 */
#ifndef HOTPATCH_ENDPOINT_FILES_H
#define HOTPATCH_ENDPOINT_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "preload/runtime_dir.h"

#define ENDPOINT_STEM_SIZE 40

/* Write "STEM.SUFFIX". */
void endpoint_file_name(char name[NAME_MAX], const char *stem, const char *suffix);
/* Return whether STEM.fifo is the FIFO with the inode number `ino`. */
bool endpoint_files_lead_to(const struct runtime_dir *dir, const char *stem, ino_t ino);
/* Return whether the name STEM.fifo exists, or cannot be checked because the process's new user may not look. */
bool endpoint_files_stay(const struct runtime_dir *dir, const char *stem);
/* Open STEM.fifo, if it has the inode number `ino`. Return a descriptor or -errno. */
int endpoint_files_open(const struct runtime_dir *dir, const char *stem, ino_t ino);
void endpoint_files_remove(const struct runtime_dir *dir, const char *stem);
/* Remove STEM.SUFFIX in the directory `path`. Return 0 or -errno. */
int endpoint_files_remove_by_path(const char *path, const char *stem, const char *suffix);

#endif
