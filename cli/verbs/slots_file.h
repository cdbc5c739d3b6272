/* slots_file.h - hotpatch slots FILE: what a program or library has that does not run. */
#ifndef HOTPATCH_SLOTS_FILE_H
#define HOTPATCH_SLOTS_FILE_H

#include "cli/verbs/slot_rows.h"

/* Print the list. Return the exit code. */
int slots_of_file(const char *path, const struct slot_wish *wish);

#endif
