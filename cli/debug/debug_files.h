/*
 * debug_files.h - separate debug files: those that --debug names, and those that are installed.
 */
#ifndef HOTPATCH_DEBUG_FILES_H
#define HOTPATCH_DEBUG_FILES_H

#include <elfutils/libdwelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"

/* Files that the user named with --debug. */
struct debug_file {
    const char *path; /* the caller's */
    char *build_id;
    bool wanted; /* some object has that build-id */
};

struct debug_files {
    struct debug_file *list;
    size_t count;
};

/* Read the build-ids of the files. Return 0, or -1 with HP-OPEN, HP-NOT-REGULAR, HP-NOT-ELF or HP-BUILD-ID (there
 * is none). Free the list in either case. */
int debug_files_open(struct debug_files *files, const char *const *paths, size_t count,
                     struct refusal *why);
void debug_files_free(struct debug_files *files);

/* Where an object and its debug file lie. */
struct debug_place {
    char *path;
    int root; /* O_PATH: the root directory that `path` counts from; -1: the command's own */
};

char *debug_build_id_text(const unsigned char *bytes, ssize_t count); /* hex, malloc'd */
char *debug_build_id(Elf *elf);                                       /* likewise; "": none */

/* Open the debug file of an object and set `*name`, malloc'd. Return -1 where there is none. `link` is that of
 * .gnu_debuglink, or NULL; `crc` counts where there is no build-id. */
int debug_file_find(const struct debug_files *given, const struct debug_place *place,
                    const char *build_id, const char *link, uint32_t crc, char **name);

#endif
