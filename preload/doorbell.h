/*
 * doorbell.h - the signal that says "look again": re-arm the FIFO, reload what has changed.
 */
#ifndef HOTPATCH_DOORBELL_H
#define HOTPATCH_DOORBELL_H

#include <stdbool.h>

/* Constructor. A signal that the host already handles stays the host's. */
void doorbell_start(int signal);
/* Was the signal ours at the start? No system call. */
bool doorbell_was_ours(void);
/* The signal, if it is still ours; 0: none, or the host's. Any thread. */
int doorbell_signal(void);
/* Listener: whether it rang since the last call. */
bool doorbell_rang(void);

#endif
