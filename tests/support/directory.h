/*
 * directory.h - a directory of a suite's own, in which it builds programs and patches.
 *
 * Runs in the test program alone.
 */
#ifndef HOTPATCH_DIRECTORY_H
#define HOTPATCH_DIRECTORY_H

extern char directory[64]; /* its path */

/* Setup of a group: make the directory; 0, or -1. `state` is not used. It is removed when the program ends, also where
 * no teardown comes. */
int directory_make(void **state);
/* Teardown of the group: remove the directory and all that is in it. */
int directory_remove(void **state);
/* The path of NAME in it, good until eight more were asked for. */
const char *directory_path(const char *name);
/* Run a command line of sh. The test fails if its exit status is not 0. */
void run_shell(const char *command);

#endif
