/* run.h - hotpatch run: starts a program with the library in it. */
#ifndef HOTPATCH_VERB_RUN_H
#define HOTPATCH_VERB_RUN_H

#include <stdbool.h>

/* `argv` begins with the verb. Return the exit code. */
int verb_run(int argc, char **argv);
/* Replace this process by the program, with the library in it, and `patches` (HOTPATCH_PATCH; NULL: none). Return the
 * exit code of the refusal, which was printed. */
int program_start(char **argv, const char *patches, bool json);

#endif
