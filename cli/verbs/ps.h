/* ps.h - hotpatch ps: which processes can be patched; clears away what dead ones left. */
#ifndef HOTPATCH_VERB_PS_H
#define HOTPATCH_VERB_PS_H

/* `argv` begins with the verb. Return the exit code. */
int verb_ps(int argc, char **argv);

#endif
