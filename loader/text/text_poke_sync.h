/*
 * text_poke_sync.h - every processor takes what was written into code: membarrier(2),
 * PRIVATE_EXPEDITED_SYNC_CORE.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. No libc.
 */
#ifndef HOTPATCH_TEXT_POKE_SYNC_H
#define HOTPATCH_TEXT_POKE_SYNC_H

/* Register the process, before anything is written. 0, or -errno where the kernel or a sandbox refuses. */
int text_poke_sync_ready(void);
/* Return when every thread of the process that runs on has gone through a serialising instruction. Without that a
 * processor may execute old bytes that it has fetched before the store (SDM 3A, 9.1.3). */
void text_poke_sync(void);

#endif
