/*
 * directory.h - a suite's own directory, in which the suite builds programs and patches.
 *
 * Called only in the test program.
 */
#ifndef HOTPATCH_DIRECTORY_H
#define HOTPATCH_DIRECTORY_H

extern char directory[64]; /* the directory's path */

/* Make the directory, as a group's setup. Return 0, or -1. `state` is not used. The directory is removed when the
 * program ends, also if no teardown runs. */
int directory_make(void **state);
/* Remove the directory and its contents, as a group's teardown. */
int directory_remove(void **state);
/* Return the path of NAME in the directory, valid until eight more paths were requested. */
const char *directory_path(const char *name);
/* Run a command line of sh. The test fails if its exit status is not 0. */
void run_shell(const char *command);
/* Run such a command line, formatted as by printf, in the directory. */
void run_in_directory(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
