/* slots.h - hotpatch slots: what can be patched in a process or a file. */
#ifndef HOTPATCH_VERB_SLOTS_H
#define HOTPATCH_VERB_SLOTS_H

/* `argv` begins with the verb. Return the exit code. */
int verb_slots(int argc, char **argv);

#endif
