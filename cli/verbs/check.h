/* check.h - hotpatch check: would a patch fit? */
#ifndef HOTPATCH_VERB_CHECK_H
#define HOTPATCH_VERB_CHECK_H

/* `argv` begins with the verb. Return the exit code. */
int verb_check(int argc, char **argv);

#endif
