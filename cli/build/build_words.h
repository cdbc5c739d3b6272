/*
 * build_words.h - what compilers said of an edit, in the words of the user's own files.
 */
#ifndef HOTPATCH_BUILD_WORDS_H
#define HOTPATCH_BUILD_WORDS_H

#include "cli/build/build_state.h"

/* Compile the edited sources that failed once more, from the texts without marks (line_marks.h): the errors of the first run
 * have the old numbers behind a hunk, and names of hunks. An object that comes of it is taken: the marks were at fault. The view
 * of the edited texts is as it was written afterwards, not as it is compiled. */
void build_say_true_lines(struct build_run *run, struct compile_task *tasks, size_t count);
/* Add what the compilers of the tasks said to the result. */
void build_take_words(struct build_run *run, const struct compile_task *tasks, size_t count);

#endif
