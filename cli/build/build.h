/*
 * build.h - from an edit of C sources to a thin object: the pipeline of `hotpatch build` and `hotpatch watch`.
 *
 * An edit names files with two texts each: the text that the target was built from, and the new one. The units of the target
 * that read such a file are compiled twice, with the first texts and with the second. The unedited objects are compared with the
 * binary; the edited ones with the unedited; what changed is written to one .hpo. The directories of the user are only read:
 * what is compiled lies in a scratch directory, which build_close() removes, and signals that end the command too.
 *
 * Rights: with effective user 0 everything that reads the user's files, and each compiler, runs as the owner of the build
 * directory; only `output` is written as root.
 */
#ifndef HOTPATCH_BUILD_H
#define HOTPATCH_BUILD_H

#include <stdbool.h>

#include "base/refusal.h"
#include "cli/build/build_types.h"

struct build;

/* Read the compile commands and the binary; compile nothing. Return 0, or -1: HP-COMMANDS, HP-OPEN, HP-LTO, HP-NO-SYMBOLS... */
int build_open(struct build **out, const struct build_options *options, struct refusal *why);
void build_close(struct build *build); /* NULL does */

/* Return whether the compile commands or the binary on disk are others than build_open() read: open it again then. */
bool build_stale(const struct build *build);

/* Call `each` with the absolute path of each source file of the compile commands that the target may come from; `headers`: and
 * of each other file below the source or the build directory that such a source includes, as the compiler names them (it is run
 * with -M for each source whose dependencies are not known yet). A path is given once. After build_patch() the files that the edited
 * units read now are among them. `each` reads the file with its own rights. */
int build_sources(struct build *build, bool headers, void (*each)(const char *path, void *context),
                  void *context, struct refusal *why);

/* Call `each` with the absolute path of each source file of the compile commands that the target does not come from: of another
 * program, or new. */
void build_other_sources(const struct build *build, void (*each)(const char *path, void *context),
                         void *context);

/* Make the .hpo of the whole edit. A file of which both texts are the same is compiled and compared with the binary, too: then
 * HP-UNCHANGED states that the binary was built from it, and HP-BASELINE that it was not. Edited objects are kept by their texts,
 * so that of two edited files the one that has not changed since the last call is not compiled again. Return 0, or -1 with the refusal: HP-UNCHANGED where no machine code changes. `result` is
 * filled in both cases, as far as the work came; build_result_free() it. Objects and comparisons of unedited files are kept for
 * the next call. */
int build_patch(struct build *build, const struct edit *edit, const struct build_output *output,
                struct build_result *result, struct refusal *why);
void build_result_free(struct build_result *result);

#endif
