/*
 * program_code.h - whether a process's program runs the code that its file has.
 */
#ifndef HOTPATCH_PROGRAM_CODE_H
#define HOTPATCH_PROGRAM_CODE_H

#include <stdbool.h>

#include "cli/debug/file_image.h"
#include "cli/process/proc_facts.h"

struct json_object;

/* Return whether all of the code in memory is as in `file`, except for what the library has written: `written`
 * has offset, size, offset ... (addresses before load bias), as the process reports them; or NULL. False also
 * where that cannot be found out. */
bool program_code_unchanged(const struct process *process, const struct file_image *file,
                            struct json_object *written);

#endif
