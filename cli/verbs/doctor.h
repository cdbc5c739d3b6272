/* doctor.h - hotpatch doctor: can this be patched, and if not, why? */
#ifndef HOTPATCH_VERB_DOCTOR_H
#define HOTPATCH_VERB_DOCTOR_H

/* `argv` begins with the verb. Return the exit code. */
int verb_doctor(int argc, char **argv);

#endif
