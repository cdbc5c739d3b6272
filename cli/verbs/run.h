/* run.h - hotpatch run: starts a program with the library in it. */
#ifndef HOTPATCH_VERB_RUN_H
#define HOTPATCH_VERB_RUN_H

/* `argv` begins with the verb. Return the exit code. */
int verb_run(int argc, char **argv);

#endif
