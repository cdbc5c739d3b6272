/* reload.h - hotpatch reload: every patch whose file has changed. */
#ifndef HOTPATCH_VERB_RELOAD_H
#define HOTPATCH_VERB_RELOAD_H

/* `argv` begins with the verb. Return the exit code. */
int verb_reload(int argc, char **argv);

#endif
