/*
 * watch_binaries.h - the programs and libraries that hotpatch watch patches: files that are mapped by its processes
 * and were built from the watched sources.
 */
#ifndef HOTPATCH_WATCH_BINARIES_H
#define HOTPATCH_WATCH_BINARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "cli/build/build.h"
#include "cli/build/scratch.h"
#include "cli/build/sources.h"
#include "cli/process/mapped.h"
#include "cli/verbs/watch_options.h"

struct watch_binary {
    char *name; /* base name of the file */
    char *path; /* of the file, as the processes see it */
    bool is_program;
    int file; /* the open file: it outlives the process and its name */
    dev_t device;
    ino_t inode;
    struct build *build;       /* NULL: the file was not built from these sources */
    struct unedited *unedited; /* the texts that it was built from */
    char *module;              /* name of its patch */
    char *output;              /* path of its patch */
    unsigned version;          /* of the last patch that was made; 0: there is none */
    bool stale;                /* the sources have changed since the patch was made */
    struct watch_binary *
        before; /* an older file of the same path, until it is known which texts this one was built from */
    bool wanted; /* the patch states the present sources; else there is nothing to patch */
};

struct watch_binaries {
    const struct watch_options *options;
    struct sources *sources;
    struct watch_binary **list;
    size_t count;
    struct scratch scratch; /* for the patches */
};

/* Begin with none, and make the directory. Return 0, or -1 with the refusal. */
int watch_binaries_begin(struct watch_binaries *binaries, const struct watch_options *watch_options,
                         struct refusal *why);
/* Remove the directory, and free all. */
void watch_binaries_end(struct watch_binaries *binaries);

/* Return the binary of an object of the process. An object that is seen for the first time is opened; *opened is set
 * then. NULL: the object is gone, or was not built from the sources; `why` has the reason where it is the program. */
struct watch_binary *watch_binaries_find(struct watch_binaries *binaries,
                                         const struct process *process,
                                         const struct mapped_object *object, bool *opened,
                                         struct refusal *why);

/* All patches are to be made again. */
void watch_binaries_stale(struct watch_binaries *binaries);
/* Find out which texts a file that was built again comes from: the present ones, or those of the older file. Return
 * 0, or -1 with the refusal where it comes from neither. */
int watch_binary_date(struct watch_binaries *binaries, struct watch_binary *binary,
                      struct refusal *why);

/* Add the files that the binary's units read now to the sources and to its unedited ones. */
int watch_binary_extend(struct watch_binaries *binaries, struct watch_binary *binary,
                        struct refusal *why);
/* Read the compile commands again. Return 0, or -1: the old ones stay in use. */
int watch_binary_reopen(struct watch_binaries *binaries, struct watch_binary *binary,
                        struct refusal *why);

/* Return whether the compile commands have a source that some binary does not come from: it may be of another. */
bool watch_binaries_lack(const struct watch_binaries *binaries);

#endif
