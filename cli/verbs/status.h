/* status.h - hotpatch status: what is applied in a process, and since when. */
#ifndef HOTPATCH_VERB_STATUS_H
#define HOTPATCH_VERB_STATUS_H

/* `argv` begins with the verb. Return the exit code. */
int verb_status(int argc, char **argv);

#endif
