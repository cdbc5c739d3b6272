/*
 * file_functions.h - the functions of a file that does not run, and which of them could be
 * replaced at their entries; judged by the code that judges them in a process.
 */
#ifndef HOTPATCH_FILE_FUNCTIONS_H
#define HOTPATCH_FILE_FUNCTIONS_H

#include "error.h"
#include "functions.h"

/* `name` is the function's, or FILE+0xOFFSET where it has none; `why_not`: NULL: it can be patched. */
typedef void file_function_visit(const struct function *function, const char *name,
                                 const char *why_not, void *context);

/* 0, or -1 with the refusal. */
int file_functions(const struct image *image, const char *path, file_function_visit *each,
                   void *context, struct refusal *why);

#endif
