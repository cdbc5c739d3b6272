/*
 * program_path.h - where execvp(3) finds a program.
 */
#ifndef HOTPATCH_PROGRAM_PATH_H
#define HOTPATCH_PROGRAM_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Put the path of the file that execvp(3) would run into `found`. False: no directory of PATH has it. */
bool program_find(const char *name, char *found, size_t size);

/* Return whether the file can be executed: execvp(3) passes over directories and other files. */
bool program_executable(const char *path);

#endif
