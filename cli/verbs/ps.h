/* ps.h - hotpatch ps: lists the processes that can be patched, and removes what processes that have ended left. */
#ifndef HOTPATCH_VERB_PS_H
#define HOTPATCH_VERB_PS_H

/* `argv` begins with the verb. Return the exit code. */
int verb_ps(int argc, char **argv);

#endif
