/* load.h - hotpatch load: patches into processes, as one transaction each. */
#ifndef HOTPATCH_VERB_LOAD_H
#define HOTPATCH_VERB_LOAD_H

/* `argv` begins with the verb. Return the exit code. */
int verb_load(int argc, char **argv);

#endif
