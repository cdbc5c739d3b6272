/* revert.h - hotpatch revert: takes a patch's layers out again. */
#ifndef HOTPATCH_VERB_REVERT_H
#define HOTPATCH_VERB_REVERT_H

/* `argv` begins with the verb. Return the exit code. */
int verb_revert(int argc, char **argv);

#endif
