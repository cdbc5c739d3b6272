/*
 * emulator.h - does an emulator of user programs (qemu-user) run this process?
 *
 * An emulator translates code before it runs the code. It does not see the bytes that /proc/self/mem writes into code
 * (text_poke.h): a thread continues in the translation of the old bytes. So the engine writes nothing into code there.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held.
 */
#ifndef HOTPATCH_EMULATOR_H
#define HOTPATCH_EMULATOR_H

/* Return one clause that names the emulator, or NULL if there is none. The first call reads the mappings. */
const char *emulator_problem(void);

#endif
