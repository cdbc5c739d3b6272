/*
 * text_poke_sync.h - make every processor see the bytes that were written into code: membarrier(2),
 * PRIVATE_EXPEDITED_SYNC_CORE.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. Calls no libc.
 */
#ifndef HOTPATCH_TEXT_POKE_SYNC_H
#define HOTPATCH_TEXT_POKE_SYNC_H

/* Register the process. Called before bytes are written. Return 0, or -errno if the kernel or a sandbox refuses. */
int text_poke_sync_ready(void);
/* Return after every running thread of the process has executed a serialising instruction. Without it a processor may
 * execute old bytes that it fetched before the store (SDM 3A, 9.1.3). */
void text_poke_sync(void);

#endif
