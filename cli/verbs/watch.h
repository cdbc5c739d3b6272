/* watch.h - hotpatch watch: every save of a source file is live in the running program. */
#ifndef HOTPATCH_VERB_WATCH_H
#define HOTPATCH_VERB_WATCH_H

/* `argv` begins with the verb. Return the exit code. */
int verb_watch(int argc, char **argv);

#endif
