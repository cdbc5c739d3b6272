/*
 * jail_answer.h - a listener in a jail asks for what its root directory does not have (preload/jail.h);
 * the command opens it and sends the descriptor.
 *
 * The process is not trusted, and gets nothing by it that it does not have: read-only descriptors of its
 * own files in /proc, of files that it has mapped, and of the patches that the user named.
 */
#ifndef HOTPATCH_JAIL_ANSWER_H
#define HOTPATCH_JAIL_ANSWER_H

#include <stddef.h>

#include "cli/process/proc_facts.h"
#include "cli/session/jail_files.h"

struct json_object;

struct jail_answers {
    const struct process *process;
    pid_t thread;               /* the listener */
    const char *id;             /* of the request */
    const char *const *patches; /* that may be asked for */
    size_t patch_count;
    struct jail_files *files; /* NULL until something was asked for that dlopen(3) has to find */
    unsigned given;           /* so many questions were answered */
    size_t brought;           /* so many copies of patches were made */
};

/* Answer the question in `line`. False: it is none. */
bool jail_answer(struct jail_answers *answers, struct json_object *line);
/* Remove the files that were put into the jail. */
void jail_answers_end(struct jail_answers *answers);

#endif
