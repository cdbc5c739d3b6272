/*
 * build_state.h - what one build has open, for the files of the pipeline.
 */
#ifndef HOTPATCH_BUILD_STATE_H
#define HOTPATCH_BUILD_STATE_H

#include <sys/stat.h>

#include "cli/build/build_types.h"
#include "cli/build/compile.h"
#include "cli/build/edit_list.h"
#include "cli/build/scratch.h"
#include "cli/build/target.h"

struct build {
    struct build_options options;
    struct build_target target;
    struct workplace place;
    struct scratch scratch;
    struct units units;
    char *source_dir;    /* absolute */
    char *commands_path; /* compile_commands.json; NULL: --cc */
    struct stat commands_facts;
};

/* One file of an edit, while it is built. */
struct edit_step {
    const struct edit_file *file;
    char *real;   /* path_real() */
    bool on_disk; /* the old text is what the disk has */
    bool same;    /* both texts are the same */
    bool is_text; /* no compiler reads a file of this name: ChangeLog */
    bool used;    /* a unit of the target reads it */
};

/* One build_patch(). */
struct build_run {
    struct build *build;
    struct edit_step *steps; /* files whose texts differ */
    size_t step_count;
    struct overlay old_view, new_view;
    bool has_old_view; /* the disk has other texts than the target was built from */
    struct unit **affected;
    size_t affected_count;
    bool removes;               /* it removes a source of the target */
    bool whole;                 /* no unit is left out of the selection because it is untouched */
    struct edit_list generated; /* sources that change with grammars of the edit */
    struct edit_list copies;    /* sources that have copies of edited ones */
    struct build_result *result;
};

/* Return the step of the file at path_real(), or NULL. */
struct edit_step *build_step_of(const struct build_run *run, const char *real);
/* Return whether the edit removes the unit's file. */
bool build_removes(const struct build_run *run, const struct unit *unit);
/* Add a note to the result. */
void build_note(struct build_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
