/*
 * compile.h - compile sources, in place or in a view of the tree, to objects in memory.
 */
#ifndef HOTPATCH_COMPILE_H
#define HOTPATCH_COMPILE_H

#include "cli/build/overlay.h"
#include "cli/build/rights.h"
#include "cli/build/unit.h"

/* Where a build works. */
struct workplace {
    struct build_owner owner;
    const char *scratch;    /* directory */
    struct word_list roots; /* directories of the project: below them a view may have other texts */
    pid_t group;            /* process group of compilers */
    unsigned runs;          /* numbers the files in `scratch` */
    bool no_cache;          /* objects are neither taken from the cache nor stored */
    bool stored;            /* something was, so that the cache may be too large */
};

/* One compilation. */
struct compile_task {
    const char *file; /* as messages name it */
    const struct command_line *line;
    const struct overlay *overlay; /* NULL: in place */
    bool depends_only;             /* -M: `result` has the lists of files and no object */
    bool plain; /* the source's hunks have no names (hunk_names.h); set where they did not do */
    struct compiled *result; /* the caller's; NULL: it failed */
    char *words;             /* of the compiler that failed; or NULL */
    struct refusal why;      /* HP-COMPILE, where it failed */
    bool
        leaks; /* a replaced file was read at its own place: the view has to have more real directories */
};

void compile_tasks(struct workplace *place, struct compile_task *tasks, size_t count);
void compile_tasks_free(struct compile_task *tasks, size_t count);

#endif
