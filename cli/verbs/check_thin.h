/* check_thin.h - hotpatch check FILE fix.hpo: would a thin object fit a file? */
#ifndef HOTPATCH_CHECK_THIN_H
#define HOTPATCH_CHECK_THIN_H

#include <stdbool.h>

/* Return whether the file at `path` is a thin object, as far as it can be read. */
bool check_thin_is(const char *path);
/* Check it, and print the outcome. Return the exit code. */
int check_thin(const char *host, const char *patch, bool json);

#endif
